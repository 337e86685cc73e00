/** Pinned runs: their thinned curves and settings, kept for this browser tab. */

import { emit, idOf, own, state } from "./store.js";
import { keep, kept } from "./curves_dom.js";
import { history } from "./curves_history.js";
import { Series } from "./curves_series.js";
import { partsOf } from "./curves_spec.js";

const KEY = idOf("pins");
const LIMIT = 3;
const POINTS = 240;
const SPLIT = /^(train|test|monitor)\//;

/**
 * @typedef {object} Pin
 * @property {string} id of the run
 * @property {string} name
 * @property {string} model
 * @property {string} dataset
 * @property {object} config
 * @property {number} seed
 * @property {number} step the last step that its curves reach
 * @property {Object<string, number[][]>} curves "split/metric" -> [steps, values]
 */

/** @type {Pin[]} */
let pins = valid(kept(sessionStorage, KEY, []));
const ready = new Map(); // pin id -> Map of Series

function valid(stored) {
  const good = (p) => p && typeof p.id === "string" && p.curves && typeof p.curves === "object" && p.config;
  return Array.isArray(stored) ? stored.filter(good).slice(0, LIMIT) : [];
}

/** All pins, oldest first. */
export function allPins() {
  return pins;
}

/** Whether the attached run is pinned. */
export function isPinned(id = state.run?.id) {
  return pins.some((p) => p.id === id);
}

/** Pins whose curves belong under those of the attached run. */
export function otherPins() {
  return pins.filter((p) => p.id !== state.run?.id);
}

/** Whether all curves of a pin measure the same thing as those of the attached run. */
export function alike(pin) {
  return !state.run || (own.COMPARE?.alike?.(pin, state.run) ?? true);
}

/** The curve of a pin as a Series; null when there is none, or none that may be compared. */
export function pinSeries(pin, split, metric) {
  if (own.COMPARE?.only?.includes(metric) && !alike(pin)) return null;
  if (!ready.has(pin.id)) {
    const curves = Object.entries(pin.curves).map(([key, points]) => [key, Series.from(points)]);
    ready.set(pin.id, new Map(curves));
  }
  return ready.get(pin.id).get(`${split}/${metric}`) ?? null;
}

/** The furthest step of the pins' curves. */
export function pinReach() {
  return Math.max(0, ...otherPins().map((p) => p.step));
}

/** Pin the attached run as it is now; the oldest of more than three goes. */
export function pinRun(name) {
  const { run } = state;
  if (!run) return;
  const pin = {
    id: run.id, name, model: run.model, dataset: run.dataset, config: { ...run.config },
    seed: run.seed, step: history.lastStep || run.step, curves: curvesNow(),
  };
  update([...pins.filter((p) => p.id !== run.id), pin].slice(-LIMIT));
}

function curvesNow() {
  const drawn = new Set(own.CHARTS.flatMap((spec) => partsOf(spec).map((part) => part.metric)));
  const worth = [...history.series].filter(([key, series]) => drawn.has(key.replace(SPLIT, "")) && series.length);
  return Object.fromEntries(worth.map(([key, series]) => [key, series.thinned(POINTS)]));
}

/** Take a pin off. */
export function unpin(id) {
  update(pins.filter((p) => p.id !== id));
}

/** A pinned run went on: its pin takes the curves that it has by now. */
export function refreshPin() {
  if (!history.series.size || !pins.some((p) => p.id === history.runId)) return;
  const newer = (p) => ({ ...p, step: history.lastStep, curves: curvesNow() });
  update(pins.map((p) => (p.id === history.runId ? newer(p) : p)));
}

function update(next) {
  pins = next;
  ready.clear();
  keep(sessionStorage, KEY, pins);
  emit("pin", pins);
}

/**
 * What differs between a pin and other settings.
 * @returns {{field: string, from: *, to: *}[]} `from` is the pin's value
 */
export function differences(pin, other) {
  const rows = [];
  for (const field of ["model", "dataset"]) {
    if (pin[field] !== other[field]) rows.push({ field, from: pin[field], to: other[field] });
  }
  const names = new Set([...Object.keys(pin.config), ...Object.keys(other.config)]);
  for (const field of names) {
    const [from, to] = [pin.config[field], other.config[field]];
    if (field === "trained") continue; // a button's doing, not a setting
    if (from !== to && from !== undefined && to !== undefined) rows.push({ field, from, to });
  }
  if (pin.seed !== other.seed && other.seed != null) rows.push({ field: "seed", from: pin.seed, to: other.seed });
  return rows;
}
