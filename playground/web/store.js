// The page's one state: what is explored, which run is attached, and the stream of its events.
// Other modules read `state`, listen with `on`, and act with start, command, attach, explore.

const here = import.meta.url;

/** Address of our routes, ending in "/": …/gradio_api/play/ (this file is served under it). */
export const base = here.slice(0, here.lastIndexOf("/web/") + 1);

const TERMINAL = new Set(["finished", "stopped", "diverged", "failed", "interrupted"]);
const POLL_MS = 700;
const LAST_RUN = "play-last-run";
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

function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is forbidden in some frames: the page then forgets at reload
  }
}

function remember(key, value) {
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
      try {
        const data = await send();
        if (!lane.waiting) resolve(data);
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

// ---- settings: the values of the Gradio controls ------------------------------------------------

let values = { model: null, dataset: null, config: {}, seed: 0, max_steps: null, preset: null };
let pushControls = null; // set by panel.js: writes values into the Gradio controls

const copy = (object) => JSON.parse(JSON.stringify(object));

export function schema(model = values.model) {
  return state.catalogue.models.find((m) => m.key === model)?.schema ?? [];
}

/** {model, dataset, config, seed, max_steps, preset}: what Train would start now. */
export function settings() {
  const known = new Set(schema().map((f) => f.name));
  const config = Object.fromEntries(Object.entries(values.config).filter(([k]) => known.has(k)));
  return copy({ ...values, config });
}

/** Set some of the controls; what is not named stays as it is. */
export function applySettings(partial) {
  values = { ...values, ...partial, config: { ...values.config, ...(partial.config ?? {}) } };
  settingsChanged("code");
  pushControls?.(values);
}

/** For panel.js: the person changed a control. */
export function takeControls(next) {
  values = { ...values, ...next, config: { ...values.config, ...(next.config ?? {}) } };
  settingsChanged("person");
}

/** For panel.js: how values reach the Gradio controls. */
export function bindControls(push) {
  pushControls = push;
}

function settingsChanged(from) {
  state.model = values.model;
  state.dataset = values.dataset;
  emit("settings", { ...settings(), from });
}

// ---- runs -------------------------------------------------------------------------------------

/** Start a run with the present settings; `overrides` win (config is merged). */
export async function start(overrides = {}) {
  const now = settings();
  const body = {
    ...now, ...overrides, config: { ...now.config, ...(overrides.config ?? {}) },
  };
  const run = await api("runs", { body });
  emit("tried", { what: "train", preset: body.preset, config: body.config });
  adopt(run, { fresh: true });
  return run;
}

/** Command the attached run: command("pause"), command("step", {count: 10}), command("set", {field, value}). */
export async function command(name, args = {}) {
  if (!state.run) throw new PlayError(t("shell.no_run"));
  const id = state.run.id;
  const answer = await api(`runs/${id}/commands`, { body: { command: name, ...args } });
  if (name !== "look") emit("tried", { what: name, ...args });
  return answer;
}

/** Attach the page to a run, from the beginning of its events. */
export async function attach(runId) {
  const run = await api(`runs/${encodeURIComponent(runId)}`);
  adopt(run, { fresh: false });
  return run;
}

/** Explore a saved checkpoint. The attached run, if any, goes on and stays attached. */
export function useCheckpoint(name) {
  if (name === state.source?.checkpoint) return;
  setSource({ checkpoint: name });
}

/** Explore the attached run (again). */
export function useRun() {
  if (state.run) setSource({ run: state.run.id });
}

/** Explore the shipped model with which the page opens. */
export function showDefault() {
  const name = defaultCheckpoint();
  setSource(name ? { checkpoint: name } : null);
}

/** Forget the attached run: nothing is watched any more; the run itself goes on. */
export function detach() {
  closeStream();
  state.run = null;
  remember(LAST_RUN, null);
  emit("reset", null);
  emit("run", null);
}

function setSource(source) {
  if (JSON.stringify(source) === JSON.stringify(state.source)) return;
  state.source = source;
  state.frame = null;
  emit("frame", null);
  emit("source", source);
}

function adopt(run, { fresh, keepSource = false }) {
  closeStream();
  cursor = 0;
  known = fresh ? 0 : run.last_seq ?? 0;
  state.run = run;
  state.fresh = fresh;
  if (run.owner_is_you) remember(LAST_RUN, run.id);
  emit("reset", run);
  emit("run", run);
  chosen = keepSource;
  // A new run has no picture yet: what is on screen stays until its first preview comes.
  if (!fresh && !keepSource && (TERMINAL.has(run.state) || run.step > 0)) setSource({ run: run.id });
  openStream();
}

/** The run went back to a checkpoint: what came after it is no longer part of its history. */
async function readopt(id) {
  try {
    const run = await api(`runs/${encodeURIComponent(id)}`);
    if (state.run?.id === id) adopt(run, { fresh: false, keepSource: chosen });
  } catch (error) {
    if (error.status === 404) gone(id);
  }
}

// ---- the stream: one EventSource for the visible page, polling when that fails -------------------

let cursor = 0; // seq of the last event taken
let known = 0; // events up to this one are in the RunView already: they only fill curves
let chosen = false; // a checkpoint chosen while a run trains stays on screen
let source = null;
let pollTimer = null;
let failures = 0;
let viewTimer = null;

function closeStream() {
  source?.close();
  source = null;
  clearTimeout(pollTimer);
  clearTimeout(viewTimer);
  pollTimer = null;
}

function openStream() {
  if (!state.run || document.hidden || source || pollTimer) return;
  if (failures >= 3 || typeof EventSource === "undefined") return poll();
  const id = state.run.id;
  source = new EventSource(`${base}runs/${encodeURIComponent(id)}/events?after=${cursor}`);
  source.onopen = () => connected(true);
  source.onmessage = (message) => {
    failures = 0;
    take(JSON.parse(message.data), id);
  };
  source.onerror = () => {
    failures += 1;
    connected(false);
    // A browser reconnects by itself with Last-Event-ID; after three failures we poll.
    if (source && (source.readyState === EventSource.CLOSED || failures >= 3)) {
      source.close();
      source = null;
      pollTimer = setTimeout(() => { pollTimer = null; poll(); }, POLL_MS);
    }
  };
}

async function poll() {
  if (!state.run || document.hidden) return;
  const id = state.run.id;
  try {
    const data = await api(`runs/${encodeURIComponent(id)}/events?after=${cursor}&poll=1`);
    if (state.run?.id !== id) return;
    connected(true);
    for (const event of data.events) take(event, id);
    if (data.run) updateRun(data.run);
  } catch (error) {
    if (error.status === 404) return gone(id);
    connected(false);
  }
  if (state.run?.id === id) {
    const rest = TERMINAL.has(state.run.state) ? 5 * POLL_MS : POLL_MS;
    pollTimer = setTimeout(() => { pollTimer = null; poll(); }, rest);
  }
}

function gone(id) {
  if (state.run?.id !== id) return;
  detach();
  notify(t("shell.run_gone"));
}

function connected(now) {
  if (state.connected === now) return;
  state.connected = now;
  emit("connection", now);
}

function updateRun(change) {
  state.run = { ...state.run, ...change };
  emit("run", state.run);
}

const FIELDS = ["epoch", "steps_per_s", "samples_per_s", "elapsed_s", "remaining_s", "device"];

function take(event, id) {
  if (state.run?.id !== id || event.seq <= cursor) return;
  cursor = event.seq;
  const past = event.seq <= known;
  const before = state.run.state;
  if (past) {
    if (event.kind === "status" && event.state === before) state.run.detail = event.detail;
    if (event.kind === "status" || event.kind === "progress") return;
  } else {
    state.run = { ...state.run, ...runChange(event) };
  }
  if (event.kind === "preview" && state.source?.run !== id && !chosen) setSource({ run: id });
  if (event.kind !== "preview" || state.source?.run === id) emit(event.kind, event);
  if (!past && event.kind !== "metrics" && event.kind !== "preview") emit("run", state.run);
  if (event.kind === "status") statusTaken(before, event);
}

/** What an event changes of the RunView. */
function runChange(event) {
  const change = { last_seq: event.seq };
  if (typeof event.step === "number") change.step = event.step;
  if (event.kind === "progress") for (const name of FIELDS) change[name] = event[name];
  if (event.kind === "changed") change.config = { ...state.run.config, [event.field]: event.new };
  if (event.kind === "saved" && event.checkpoint) {
    const others = (state.run.checkpoints ?? []).filter((c) => c.step !== event.checkpoint.step);
    change.checkpoints = [...others, event.checkpoint];
  }
  if (event.kind === "status") {
    Object.assign(change, {
      state: event.state, message: event.message, detail: event.detail,
      position: event.position ?? null, eta_s: event.eta_s ?? null, rewind: event.rewind ?? null,
    });
  }
  return change;
}

function statusTaken(before, event) {
  const run = state.run;
  if (run.state !== before) announce(t(`shell.announce.${run.state}`, { step: run.step }));
  // Continued, rewound, or its worker died: it goes on from a checkpoint.
  if (run.state === "queued" && (TERMINAL.has(before) || event.message)) readopt(run.id);
  clearTimeout(viewTimer);
  if (TERMINAL.has(run.state)) viewTimer = setTimeout(() => refreshRun(run.id), 1500);
}

async function refreshRun(id) {
  try {
    const view = await api(`runs/${encodeURIComponent(id)}`);
    if (state.run?.id === id) updateRun(view);
  } catch (error) {
    if (error.status === 404) gone(id);
  }
}

on("source", (now) => {
  chosen = Boolean(now?.checkpoint) && Boolean(state.run) && !TERMINAL.has(state.run.state);
});

if (typeof document !== "undefined") {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) closeStream();
    else if (state.run) {
      failures = 0;
      openStream();
    }
  });
  window.addEventListener("pagehide", closeStream);
  window.addEventListener("pageshow", (event) => { if (event.persisted) openStream(); });
}

// ---- links ------------------------------------------------------------------------------------

const round = (x) => Number(Number(x).toPrecision(5));

/** The address of what is on screen: tab, settings that differ from the defaults, source, point. */
export function shareLink() {
  const query = new URLSearchParams({ tab: state.tab });
  const now = settings();
  if (now.preset) query.set("preset", now.preset);
  if (now.model) query.set("model", now.model);
  if (now.dataset) query.set("dataset", now.dataset);
  const preset = presetOf(now.preset);
  for (const field of schema(now.model)) {
    const plain = preset?.config?.[field.name] ?? field.default;
    const value = now.config[field.name];
    if (value !== undefined && value !== null && value !== plain) query.set(field.name, value);
  }
  if (Number.isFinite(now.seed)) query.set("seed", now.seed);
  if (now.max_steps && now.max_steps !== preset?.max_steps) query.set("max_steps", now.max_steps);
  // A run that has just begun is meant, though its first picture is not there yet.
  if (state.run && (state.source?.run || !chosen)) query.set("run", state.source?.run ?? state.run.id);
  else if (state.source?.checkpoint) query.set("checkpoint", state.source.checkpoint);
  if (state.point?.z?.length) query.set("z", state.point.z.map(round).join(","));
  return `${location.origin}${location.pathname}?${query}`;
}

export function presetOf(key) {
  if (!key) return null;
  return state.catalogue.models.flatMap((m) => m.presets).find((p) => p.key === key) ?? null;
}

function readValue(field, text) {
  if (field.kind === "bool") return { true: true, false: false, 1: true, 0: false }[text];
  if (field.kind === "choice") return field.choices.some(([v]) => v === text) ? text : undefined;
  const number = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(number)) return undefined;
  if (field.kind === "int" && !Number.isInteger(number)) return undefined;
  if (number < field.minimum || number > field.maximum) return undefined;
  return number;
}

/** Read a share link: {settings, checkpoint, run, z, ignored: [names whose value is no good]}. */
export function readLink(search = location.search) {
  const query = new URLSearchParams(search);
  const ignored = [];
  const partial = { config: {} };
  const from = (name, check) => {
    if (!query.has(name)) return undefined;
    const value = check(query.get(name));
    if (value === undefined) ignored.push(name);
    return value;
  };
  const catalogue = state.catalogue;
  const preset = from("preset", (k) => presetOf(k) ?? undefined);
  if (preset) {
    Object.assign(partial, {
      preset: preset.key, model: preset.model, dataset: preset.dataset, max_steps: preset.max_steps,
      config: presetConfig(preset),
    });
  }
  const model = from("model", (k) => (catalogue.models.some((m) => m.key === k) ? k : undefined));
  if (model) partial.model = model;
  const dataset = from("dataset", (k) =>
    (catalogue.datasets.some((d) => d.key === k && d.available !== false) ? k : undefined));
  if (dataset) partial.dataset = dataset;
  for (const field of schema(partial.model ?? values.model)) {
    const value = from(field.name, (text) => readValue(field, text));
    if (value !== undefined) partial.config[field.name] = value;
  }
  const whole = (low, high) => (text) => {
    const n = Number(text);
    return text.trim() !== "" && Number.isInteger(n) && n >= low && n <= high ? n : undefined;
  };
  const seed = from("seed", whole(0, 2 ** 31 - 1));
  if (seed !== undefined) partial.seed = seed;
  const steps = from("max_steps", whole(1, catalogue.limits?.max_steps ?? 10_000_000));
  if (steps !== undefined) partial.max_steps = steps;
  const z = from("z", (text) => {
    const list = text.split(",").map((x) => (x.trim() === "" ? NaN : Number(x)));
    return list.length <= 512 && list.every((x) => Number.isFinite(x) && Math.abs(x) < 1e4) ? list : undefined;
  });
  const checkpoint = from("checkpoint", (k) =>
    (catalogue.checkpoints.some((c) => c.name === k) || k.startsWith("upload/") ? k : undefined));
  return { settings: partial, checkpoint, run: query.get("run"), z, ignored };
}

/** All values of a preset: the model's defaults, and on top what the preset says. */
export function presetConfig(preset) {
  const plain = Object.fromEntries(schema(preset.model).map((f) => [f.name, f.default]));
  return { ...plain, ...preset.config };
}

// ---- the beginning ------------------------------------------------------------------------------

/** Read the catalogue again, after an upload or a new checkpoint. */
export async function refreshCatalogue() {
  state.catalogue = await api("catalogue");
  emit("catalogue", state.catalogue);
  return state.catalogue;
}

/** A checkpoint of this tab that opens when nothing else is asked for. */
function defaultCheckpoint() {
  const models = new Set(state.catalogue.models.map((m) => m.key));
  const fit = state.catalogue.checkpoints.filter((c) => models.has(c.model));
  return (fit.find((c) => c.name === "vae/mnist-2d") ?? fit.find((c) => c.model === state.model) ?? fit[0])?.name;
}

async function boot() {
  const [strings] = await Promise.all([
    fetch(new URL("strings.json", here)).then((r) => r.json()),
    refreshCatalogue(),
  ]);
  words = strings;
  const first = state.catalogue.models[0];
  const preset = first?.presets[0];
  if (preset) {
    values = {
      model: preset.model, dataset: preset.dataset, config: presetConfig(preset), seed: 0,
      max_steps: preset.max_steps, preset: preset.key,
    };
    state.model = values.model;
    state.dataset = values.dataset;
  }
  const checkpoint = defaultCheckpoint();
  if (checkpoint) state.source = { checkpoint };
}

async function followLink() {
  const link = readLink();
  const asked = Object.keys(link.settings).length > 1 || Object.keys(link.settings.config).length > 0;
  if (asked) applySettings(link.settings);
  const ignored = [...link.ignored];
  if (link.run) await attach(link.run).catch(() => ignored.push("run"));
  else await findLastRun(link);
  if (link.checkpoint) useCheckpoint(link.checkpoint);
  if (link.z) emit("point", { z: link.z, u: link.z.length === 2 ? link.z : null, from: "link" });
  if (ignored.length) notify(t("shell.link_ignored", { names: ignored.join(", ") }));
}

/** A reload finds the run again; beside a link to something else only one that is under way. */
async function findLastRun(link) {
  const id = remembered(LAST_RUN);
  if (!id) return;
  try {
    const run = await api(`runs/${encodeURIComponent(id)}`);
    if (link.checkpoint && TERMINAL.has(run.state)) return;
    adopt(run, { fresh: false, keepSource: Boolean(link.checkpoint) });
  } catch (error) {
    if (error.status === 404) remember(LAST_RUN, null);
  }
}

/** Resolves when strings and catalogue are there; modules are mounted after it. */
export const ready = boot().catch((error) => {
  console.error("The page could not read its catalogue", error);
});

/** For panel.js, once the controls can be written: apply the link, find the last run again. */
export async function begin() {
  await ready;
  await followLink();
}

window.Play = Object.assign(window.Play ?? {}, {
  store: {
    state, on, off, emit, api, explore, start, command, attach, detach, useCheckpoint, useRun,
    settings, applySettings, shareLink, announce, notify, t, ready,
  },
});
