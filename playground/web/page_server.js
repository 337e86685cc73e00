// Words and the way to the server: one for the whole page, whatever tabs it has.

const here = import.meta.url;

/** Address of our routes, ending in "/": …/gradio_api/play/ (this file is served under it). */
export const base = here.slice(0, here.lastIndexOf("/web/") + 1);

/** Address of a file that all tabs share: a style sheet, the strings, Plotly. */
export const shared = (file) => new URL(file, here).href;

const OWNER = "play-owner";
const RETRY_MS = 2000;

// ---- words ------------------------------------------------------------------------------------

let words = {};

/** The string of a key, with {name} replaced from `vars`. */
export function t(key, vars = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in vars ? String(vars[name]) : whole));
}

/** Do something until the server answers; one that has just been started again is soon there. */
export async function inTheEnd(work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      console.warn("The page could not read what it needs; it tries again", error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Resolves when the strings are there. */
export const ready = inTheEnd(async () => {
  words = await (await fetch(shared("strings.json"))).json();
});

// ---- what this browser remembers ----------------------------------------------------------------

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
  const token = randomToken(18);
  remember(OWNER, token);
  return token;
}

/** The secret that says whose runs these are; the same on all tabs. */
export const owner = ownerToken();

// ---- the server ---------------------------------------------------------------------------------

const TRIES = 4; // of a request that may be repeated without harm
const WAIT_S = 1;
const LONGEST_WAIT_S = 30;

/**
 * What the server refuses, as one sentence; `field` names the control at fault, `retry_s` says
 * when to ask again.
 */
export class PlayError extends Error {
  constructor(sentence, field = null, status = 0, retry_s = null) {
    super(sentence);
    this.name = "PlayError";
    this.sentence = sentence;
    this.field = field;
    this.status = status;
    this.retry_s = retry_s;
  }
}

/** Letters that nobody guesses or repeats; randomUUID is not there without https. */
function randomToken(bytes) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...random)).replaceAll("+", "-").replaceAll("/", "_");
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

/**
 * Call one of our routes: api("runs", {method: "POST", body: {…}}) -> its JSON.
 *
 * A server that asks for patience (429) gets it from what only reads (GET, views to explore); a
 * click is told its sentence. `once` marks a request that must count once: it carries a key by
 * which the server knows it again, and is repeated when the connection was lost.
 */
export async function api(path, { method, body, form, signal, once = false } = {}) {
  const verb = method ?? (body !== undefined || form ? "POST" : "GET");
  const headers = { "X-Play-Owner": owner };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (once) headers["Idempotency-Key"] = randomToken(18);
  const reads = verb === "GET" || path.startsWith("explore/");
  const options = { method: verb, headers, body: form ?? (body !== undefined ? JSON.stringify(body) : undefined), signal };
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await ask(path, options);
    } catch (error) {
      const again = left > 0 && !signal?.aborted && ((once && error.lost) || (reads && error.status === 429));
      if (!again) throw error;
      await pause(Math.min(error.retry_s ?? WAIT_S, LONGEST_WAIT_S));
    }
  }
}

let build = null; // of the server, as it said first
const renewed = new Set();

/** Call `fn` once when the server is found to be another version than this page is of. */
export function onRenewed(fn) {
  renewed.add(fn);
}

function noteBuild(now) {
  build ??= now;
  if (!now || now === build) return;
  for (const fn of renewed) fn();
  renewed.clear();
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(base + path.replace(/^\//, ""), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw Object.assign(new PlayError(t("shell.unreachable")), { lost: true });
  }
  noteBuild(answer.headers.get("X-Play-Build"));
  const data = await answer.json().catch(() => null);
  if (answer.ok) return data;
  const wait = Number(data?.retry_s ?? answer.headers.get("Retry-After") ?? NaN);
  const retry = Number.isFinite(wait) && wait >= 0 ? wait : null;
  throw new PlayError(data?.error ?? t("shell.failed", { status: answer.status }), data?.field, answer.status, retry);
}

// ---- the catalogue ------------------------------------------------------------------------------

let catalogue = null;
const readers = new Set();

/** Read the catalogue again, after an upload or a new checkpoint: all tabs are told. */
export async function refreshCatalogue() {
  catalogue = api("catalogue");
  const found = await catalogue;
  for (const fn of readers) fn(found);
  return found;
}

/** Call `fn(catalogue)` whenever it was read anew; resolves to the present one. */
export function readCatalogue(fn) {
  readers.add(fn);
  return inTheEnd(() => {
    const asked = catalogue ??= api("catalogue");
    return asked.catch((error) => {
      if (catalogue === asked) catalogue = null;
      throw error;
    });
  });
}
