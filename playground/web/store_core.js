// State, listeners, words and the way to the server: what every module stands on.

const here = import.meta.url;

/** Address of our routes, ending in "/": …/gradio_api/play/ (this file is served under it). */
export const base = here.slice(0, here.lastIndexOf("/web/") + 1);

const OWNER = "play-owner";

export const state = {
  tab: "vae",
  model: null,
  dataset: null,
  source: null, // {checkpoint: name} | {run: id}: what the explorer shows
  run: null, // RunView of the attached run
  fresh: false, // whether this page has just started it (else it was found or opened)
  catalogue: { models: [], datasets: [], checkpoints: [], published: [], limits: {} },
  point: null, // {z, u, from}
  frame: null, // a past frame of the timeline, or null = live
  pin: null,
  connected: true,
};

// ---- listeners --------------------------------------------------------------------------------

const listeners = new Map();

/** Call `fn(detail)` at every event of this type; returns the function that ends it. */
export function on(type, fn) {
  if (!listeners.has(type)) listeners.set(type, new Set());
  listeners.get(type).add(fn);
  return () => off(type, fn);
}

export function off(type, fn) {
  listeners.get(type)?.delete(fn);
}

export function emit(type, detail) {
  if (type === "point") state.point = detail;
  if (type === "frame") state.frame = detail;
  if (type === "pin") state.pin = detail;
  for (const fn of [...(listeners.get(type) ?? [])]) {
    try {
      fn(detail);
    } catch (error) {
      console.error(`A listener of "${type}" failed`, error);
    }
  }
}

// ---- words ------------------------------------------------------------------------------------

let words = {};

/** For store.js: the table of all strings. */
export function setWords(table) {
  words = table;
}

/** The string of a key, with {name} replaced from `vars`. */
export function t(key, vars = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in vars ? String(vars[name]) : whole));
}

/** Say something to a screen reader. */
export function announce(text) {
  emit("announce", text);
}

/** Show one sentence at the page's edge. options: {error, actions: [[label, fn]]}. */
export function notify(sentence, options = {}) {
  emit("notify", { sentence, ...options });
}

// ---- the server -------------------------------------------------------------------------------

/** What the server refuses, as one sentence; `field` names the control at fault. */
export class PlayError extends Error {
  constructor(sentence, field = null, status = 0) {
    super(sentence);
    this.name = "PlayError";
    this.sentence = sentence;
    this.field = field;
    this.status = status;
  }
}

/** What this browser remembers of the page, or null. */
export function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is forbidden in some frames: the page then forgets at reload
  }
}

/** Let this browser remember a text; null forgets it. */
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // as above
  }
}

function ownerToken() {
  const kept = remembered(OWNER);
  if (kept && kept.length >= 16) return kept;
  const random = crypto.getRandomValues(new Uint8Array(18));
  const token = btoa(String.fromCharCode(...random)).replaceAll("+", "-").replaceAll("/", "_");
  remember(OWNER, token);
  return token;
}

export const owner = ownerToken();

/** Call one of our routes: api("runs", {method: "POST", body: {…}}) -> its JSON. */
export async function api(path, { method, body, form, signal } = {}) {
  const headers = { "X-Play-Owner": owner };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(base + path.replace(/^\//, ""), {
      method: method ?? (body !== undefined || form ? "POST" : "GET"),
      headers,
      body: form ?? (body !== undefined ? JSON.stringify(body) : undefined),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new PlayError(t("shell.unreachable"));
  }
  const data = await answer.json().catch(() => null);
  if (!answer.ok) {
    throw new PlayError(data?.error ?? t("shell.failed", { status: answer.status }), data?.field, answer.status);
  }
  return data;
}

const lanes = new Map(); // key -> {busy, waiting}

/**
 * Ask for a view of what is explored now. With `latest: key` at most one request of that key is
 * in flight, and of those that wait only the newest is sent; the others never resolve.
 */
export function explore(view, args = {}, { latest, signal, source } = {}) {
  const send = () => {
    const shown = source ?? state.source;
    if (!shown) return Promise.reject(new PlayError(t("shell.nothing_to_explore")));
    return api(`explore/${view}`, { body: { source: shown, args }, signal });
  };
  if (!latest) return send();
  const lane = lanes.get(latest) ?? { busy: false, waiting: null };
  lanes.set(latest, lane);
  return new Promise((resolve, reject) => {
    const run = async () => {
      lane.busy = true;
      const asked = state.source;
      try {
        const data = await send();
        // An answer on the way to a newer one is shown, unless it is about something else by now.
        if (!lane.waiting || state.source === asked) resolve(data);
      } catch (error) {
        if (!lane.waiting) reject(error);
      } finally {
        lane.busy = false;
        const next = lane.waiting;
        lane.waiting = null;
        next?.();
      }
    };
    if (lane.busy) lane.waiting = run;
    else run();
  });
}
