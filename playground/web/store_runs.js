// The attached run, and what is explored.
import { lesson, openTab, tabOf, tellPage } from "./page.js";
import {
  PlayError, announce, api, emit, idOf, notify, on, own, remember, remembered, state, t,
} from "./store_core.js";
import { settings } from "./store_settings.js";
import { watch } from "./store_stream.js";
import { note, shownState } from "./store_turns.js";

const LAST_RUN = idOf("last-run");
const LESSON_RUN = lesson && `${LAST_RUN}-${lesson.id}`; // the last one that was begun in this lesson
const ENDED = new Set(["finished", "stopped", "diverged", "failed", "interrupted"]);
const LIVELY = new Set(["queued", "starting", "running"]);
const PROGRESS = ["epoch", "steps_per_s", "samples_per_s", "elapsed_s", "remaining_s", "device"];
const WAITING = ["position", "eta_s", "eta_low_s", "eta_high_s", "waiting_s", "served_s", "slice_s", "turns_with"];
const REFRESH_MS = 1500; // the last checkpoint may be written after the last status

let watcher = null;
let known = 0; // events up to this one are in the RunView already: they only fill curves
let chosen = false; // a checkpoint chosen while a run trains stays on screen
let refreshTimer = null;
let lastShown = "none";

/** Start a run with the present settings; `overrides` win (config is merged). */
export async function start(overrides = {}) {
  const now = settings();
  const config = { ...now.config, ...(overrides.config ?? {}) };
  const body = { ...now, ...overrides, config };
  const run = await api("runs", { body, once: true });
  emit("tried", { what: "train", preset: body.preset, config });
  adopt(run, { fresh: true });
  leaveLink();
  return run;
}

/** Take run, checkpoint and point out of the page's address: a reload finds the own run now. */
function leaveLink() {
  const query = new URLSearchParams(location.search);
  const before = query.toString();
  for (const name of ["run", "checkpoint", "z"]) query.delete(name);
  const now = query.toString();
  if (now !== before) history.replaceState(history.state, "", location.pathname + (now ? `?${now}` : ""));
}

/** Command the attached run: command("pause"), command("step", {count: 10}), command("set", {field, value}). */
export async function command(name, args = {}) {
  if (!state.run) throw new PlayError(t("shell.no_run"));
  const answer = await api(`runs/${state.run.id}/commands`, { body: { command: name, ...args } });
  if (name !== "look") emit("tried", { what: name, ...args });
  return answer;
}

/** Attach the page to a run, from the beginning of its events. */
export async function attach(runId) {
  const run = await api(`runs/${encodeURIComponent(runId)}`);
  const home = tabOf(run.model) ?? state.tab;
  if (home === state.tab) adopt(run, { fresh: false });
  else openTab(home, { run: runId });
  return run;
}

/** Tell the attached run what its live view `name` shall draw; nothing when it does not train. */
export async function look(name, args) {
  const { run } = state;
  if (run?.state !== "running" || !run.owner_is_you) return;
  try {
    await api(`runs/${run.id}/commands`, { body: { command: "look", name, args } });
  } catch (error) {
    console.warn("The live view keeps its usual look:", error.message);
  }
}

/** Forget the attached run: nothing is watched any more; the run itself goes on. */
export function detach() {
  watcher?.close();
  watcher = null;
  clearTimeout(refreshTimer);
  state.run = null;
  tellShown({ quiet: true });
  remember(LAST_RUN, null);
  if (LESSON_RUN) remember(LESSON_RUN, null);
  emit("reset", null);
  emit("run", null);
}

/** A reload finds the run again; beside a link to something else only one that is under way. */
export async function findLastRun(link) {
  const id = remembered(LAST_RUN);
  if (!id) return;
  try {
    const run = await api(`runs/${encodeURIComponent(id)}`);
    if (link.checkpoint && ENDED.has(run.state)) return;
    adopt(run, { fresh: false, keepSource: Boolean(link.checkpoint) });
  } catch (error) {
    if (error.status === 404) remember(LAST_RUN, null);
  }
}

/**
 * A lesson finds the run that was begun in it. Another one that is under way goes on, and is
 * offered: it would bring its own settings in place of the lesson's.
 */
export async function findLessonRun() {
  const lookUp = async (key) => {
    const id = remembered(key);
    return id ? api(`runs/${encodeURIComponent(id)}`).catch(() => null) : null;
  };
  const run = await lookUp(LESSON_RUN);
  if (run) {
    adopt(run, { fresh: false });
    return;
  }
  const other = await lookUp(LAST_RUN);
  if (!other || ENDED.has(other.state)) return;
  notify(t("shell.lesson_other_run", { title: other.title }), { actions: [[t("shell.lesson_show_run"), () => attach(other.id)]] });
}

// ---- what is explored ---------------------------------------------------------------------------

/** Explore a saved checkpoint. The attached run, if any, goes on and stays attached. */
export function useCheckpoint(name) {
  setSource({ checkpoint: name });
}

/** Explore the attached run (again). */
export function useRun() {
  if (state.run) setSource({ run: state.run.id });
}

/** A checkpoint of this tab that opens when nothing else is asked for. */
export function defaultCheckpoint() {
  const all = state.catalogue.checkpoints;
  const best = all.find((c) => c.name === own.DEFAULT_CHECKPOINT) ?? all.find((c) => c.model === state.model);
  return (best ?? all[0])?.name;
}

/** Explore the shipped model with which the page opens. */
export function showDefault() {
  const name = defaultCheckpoint();
  setSource(name ? { checkpoint: name } : null);
}

/** Whether a checkpoint is on screen by choice, while a run is attached. */
export const showsChosen = () => chosen;

function setSource(source) {
  if (JSON.stringify(source) === JSON.stringify(state.source)) return;
  state.source = source;
  state.frame = null;
  emit("frame", null);
  emit("source", source);
}

on("source", (now) => {
  chosen = Boolean(now?.checkpoint) && Boolean(state.run) && !ENDED.has(state.run.state);
});

// ---- the attached run ---------------------------------------------------------------------------

function adopt(run, { fresh, keepSource = false }) {
  watcher?.close();
  clearTimeout(refreshTimer);
  known = run.last_seq ?? 0;
  state.run = run;
  state.fresh = fresh;
  tellShown({ quiet: true });
  if (run.owner_is_you) remember(LAST_RUN, run.id);
  if (fresh && lesson?.tab === state.tab) remember(LESSON_RUN, run.id);
  emit("reset", run);
  emit("run", run);
  chosen = keepSource;
  // A new run has no picture yet: what is on screen stays until its first preview comes.
  const has = ENDED.has(run.state) || run.step > 0;
  if (!fresh && !keepSource && has) setSource({ run: run.id });
  watcher = watch(run.id, {
    event: (event) => take(event, run.id),
    run: (view) => updateRun(run.id, view),
    gone: () => gone(run.id),
    connection: connected,
    lively: () => LIVELY.has(state.run?.state),
  });
}

/** The run went back to a checkpoint: what came after it is no longer part of its history. */
async function readopt(id) {
  const run = await viewOf(id);
  if (run) adopt(run, { fresh: false, keepSource: chosen });
}

async function viewOf(id) {
  try {
    const run = await api(`runs/${encodeURIComponent(id)}`);
    return state.run?.id === id ? run : null;
  } catch (error) {
    if (error.status === 404) gone(id);
    return null; // the server does not answer: the watcher says so
  }
}

function gone(id) {
  if (state.run?.id !== id) return;
  detach();
  if (state.source?.run === id) showDefault();
  notify(t("shell.run_gone"));
}

function connected(now) {
  if (state.connected === now) return;
  state.connected = now;
  emit("connection", now);
  tellPage("connection", { tab: state.tab, ok: now });
}

function updateRun(id, change) {
  if (state.run?.id !== id || !change) return;
  state.run = { ...state.run, ...change };
  tellShown();
  emit("run", state.run);
}

function take(event, id) {
  if (state.run?.id !== id) return;
  const past = event.seq <= known;
  const before = state.run.state;
  if (!past) state.run = { ...state.run, ...changeBy(event) };
  else if (event.kind === "progress") return;
  else if (event.kind === "status") {
    if (event.state === before && event.detail) updateRun(id, { detail: event.detail });
    return;
  }
  if (event.kind === "preview" && state.source?.run !== id && !chosen) setSource({ run: id });
  if (event.kind !== "preview" || state.source?.run === id) emit(event.kind, event);
  if (lastShown === "turns" && event.kind === "progress") tellShown(); // by now it may train alone
  if (!past && event.kind !== "metrics" && event.kind !== "preview") emit("run", state.run);
  if (event.kind === "status") statusTaken(before, event);
}

/** What an event changes of the RunView. */
function changeBy(event) {
  const change = { last_seq: event.seq };
  if (typeof event.step === "number") change.step = event.step;
  if (event.kind === "progress") for (const name of PROGRESS) change[name] = event[name];
  if (event.kind === "changed") change.config = { ...state.run.config, [event.field]: event.new };
  if (event.kind === "saved" && event.checkpoint) {
    const others = (state.run.checkpoints ?? []).filter((c) => c.step !== event.checkpoint.step);
    change.checkpoints = [...others, event.checkpoint];
  }
  if (event.kind === "status") {
    Object.assign(change, {
      state: event.state, message: event.message, detail: event.detail,
      rewind: event.rewind ?? null, resting: Boolean(event.resting), frozen: Boolean(event.frozen),
    });
    for (const name of WAITING) if (name in event || name === "position") change[name] = event[name] ?? null;
  }
  return change;
}

/** Say, and tell who listens, that the run's state is another one to the eye. */
function tellShown({ quiet = false } = {}) {
  note(state.run);
  const now = shownState();
  if (now === lastShown) return;
  lastShown = now;
  if (!quiet) announce(t(`shell.announce.${now}`, { step: state.run?.step }));
  emit("shown", now);
}

function statusTaken(before, event) {
  const run = state.run;
  tellShown();
  // Continued, rewound, or its worker died: it goes on from a checkpoint.
  const back = event.message && !run.frozen && !run.resting;
  if (run.state === "queued" && (ENDED.has(before) || back)) readopt(run.id);
  if (run.state === "queued" && back) notify(event.message);
  clearTimeout(refreshTimer);
  if (ENDED.has(run.state)) {
    refreshTimer = setTimeout(async () => updateRun(run.id, await viewOf(run.id)), REFRESH_MS);
  }
}
