/** What the attached run has told so far, gathered once for curves, table, pins, lessons, help. */

import { on, own, state, t } from "./store.js";
import { Series } from "./curves_series.js";

const MARK_LIMIT = 400;
const QUIET = new Set(["trained"]); // changed by the buttons for single steps: no news of the run

/** Series by "split/metric", newest values by the same name, marks on the step axis, alerts. */
export const history = {
  series: new Map(),
  latest: new Map(),
  marks: [],
  alerts: [],
  lastStep: 0,
  runId: null, // the run that all this is of
  since: 0, // when the run was attached: what comes at once after it is its past
};

const REPLAY_MS = 1500;

/** Whether events that arrive now may be the run's past, sent again after a reload. */
export function replaying() {
  return performance.now() - history.since < REPLAY_MS;
}

const listeners = new Set();

/** Call `fn` whenever something was added; returns the way to stop it. */
export function onHistory(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

function changed(what) {
  for (const fn of listeners) fn(what);
}

/** A value's plain name: "test/elbo_nats" and "elbo_nats" are the same metric. */
export function metricName(name) {
  return name.replace(/^(train|test|monitor)\//, "");
}

function push(split, name, step, value) {
  if (typeof value !== "number") return;
  const key = `${split}/${metricName(name)}`;
  if (!history.series.has(key)) history.series.set(key, new Series());
  history.series.get(key).push(step, value);
  history.latest.set(key, value);
}

function takeMetrics(event) {
  for (const [name, value] of Object.entries(event.values ?? {})) {
    push(event.split ?? "train", name, event.step, value);
  }
  history.lastStep = event.step;
  changed("metrics");
}

function takeProgress(event) {
  if (event.steps_per_s > 0) push("train", "steps_per_s", event.step, event.steps_per_s);
  changed("metrics");
}

function mark(event, kind) {
  const twin = (m) => m.step === event.step && m.kind === kind && m.field === event.field;
  if (history.marks.some(twin)) return;
  history.marks.push({ kind, step: event.step, field: event.field, event });
  if (history.marks.length > MARK_LIMIT) history.marks.splice(0, 1);
  changed("mark");
}

function takeAlert(event) {
  mark({ ...event, field: event.alert }, event.alert === "diverged" ? "diverged" : "alert");
  const known = history.alerts.findIndex((a) => a.alert === event.alert);
  if (known >= 0) history.alerts.splice(known, 1);
  history.alerts.push({ ...event });
  changed("alert");
}

function takeStatus(event) {
  if (event.state === "diverged") {
    takeAlert({ ...event, alert: "diverged", sentence: event.message });
  } else if (active(event)) {
    history.alerts = history.alerts.filter((alert) => alert.alert !== "diverged");
  }
  changed("status");
}

/** Forget everything: another run is attached, or none. */
function reset(run) {
  changed("leaving");
  history.runId = run?.id ?? null;
  history.series.clear();
  history.latest.clear();
  history.marks.length = 0;
  history.alerts = [];
  history.lastStep = 0;
  history.since = performance.now();
  changed("reset");
}

on("reset", reset);
on("metrics", takeMetrics);
on("progress", takeProgress);
on("changed", (event) => { if (!QUIET.has(event.field)) mark(event, "changed"); });
on("saved", (event) => mark({ ...event, step: event.checkpoint?.step ?? event.step }, "saved"));
on("alert", takeAlert);
on("status", takeStatus);

/** The newest value of a metric of the run, or null. */
export function latest(split, name) {
  return history.latest.get(`${split}/${name}`) ?? null;
}

/** The series of a metric, or null. */
export function seriesOf(split, name) {
  return history.series.get(`${split}/${name}`) ?? null;
}

/** The shipped or imported checkpoint that is explored, as the catalogue has it, or null. */
export function checkpointShown() {
  const name = state.source?.checkpoint;
  return (name && state.catalogue?.checkpoints?.find((c) => c.name === name)) || null;
}

const ACTIVE = new Set(["queued", "starting", "running", "paused", "parked"]);

/** Whether a run still trains or may go on by itself. */
export function active(run) {
  return Boolean(run) && ACTIVE.has(run.state);
}

/** The attached run, unless it is over and a checkpoint was chosen in its place. */
export function runShown() {
  if (!state.run) return null;
  return state.source?.checkpoint && !active(state.run) ? null : state.run;
}

/** Model, data set, hyperparameters and place in training of what is shown. */
export function subject() {
  const shown = runShown() ?? checkpointShown();
  return shown && { model: shown.model, dataset: shown.dataset, config: shown.config ?? {}, shown };
}

/**
 * A metric of what is shown, wherever it stands: the run's newest value, else the checkpoint's.
 * @returns {number|null}
 */
/** Returns what a split is called on this tab: text has a validation part, not a test set. */
export const splitName = (split) => t(own.SPLITS?.[split] ?? `monitor.${split}`);
export function metric(split, name) {
  if (runShown()) return latest(split, name);
  const metrics = checkpointShown()?.metrics ?? {};
  const found = metrics[`${split}/${name}`] ?? (split === "test" ? metrics[`validation/${name}`] : null);
  return found ?? (split === "train" ? null : metrics[name]) ?? null;
}
