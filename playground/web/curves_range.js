/** Which part of the values a chart shows: the present, not the first steps' leap. */

import { logWorth, roundRange } from "./curves_scale.js";

const SAMPLE = 64;
const sampled = new Float64Array(SAMPLE);
const FAR = 5; // times the height of the curves
const ENOUGH = 30; // points, before a logarithmic axis is chosen unasked

/**
 * The range of some lines on a step axis.
 *
 * The central 80 % of the values, widened to the true extremes when these are near, and to the
 * last tenth of each curve always: a first step of −540 does not flatten a curve at −140, while a
 * curve that runs away stays in sight.
 *
 * @param {{series: import("./curves_series.js").Series}[]} lines
 * @param {{low: number, high: number}} x
 * @returns {{core: number[], middle: number[], full: number[], points: number}|null}
 */
export function valueRange(lines, x) {
  let core = null;
  let middle = null; // without the widening, which says nothing about decades
  let full = null;
  let points = 0;
  for (const { series } of lines) {
    const all = extremes(series, x);
    if (!all) continue;
    points += series.length;
    full = union(full, all);
    const values = evenly(series, x);
    const latest = recent(series, x);
    middle = union(middle, union(quantiles(values), latest));
    core = union(core, union(widened(values, all), latest));
  }
  return core && { core, middle, full, points };
}

/** Least and greatest value on a part of the step axis, or null. */
function extremes(series, { low, high }) {
  let least = Infinity;
  let most = -Infinity;
  for (let i = series.length - 1; i >= 0 && series.x[i] >= low; i -= 1) {
    if (series.x[i] > high) continue;
    const value = series.y[i];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least <= most ? [least, most] : null;
}

/** Values at evenly spaced steps, sorted: where points lie dense must not count for more. */
function evenly(series, x) {
  const from = Math.max(x.low, series.firstStep);
  const to = Math.min(x.high, series.lastStep);
  for (let k = 0; k < SAMPLE; k += 1) {
    sampled[k] = series.y[series.nearest(from + ((k + 0.5) / SAMPLE) * (to - from))];
  }
  return sampled.sort();
}

function quantiles(values) {
  return [0.1, 0.9].map((q) => values[Math.round(q * (SAMPLE - 1))]);
}

function widened(values, [least, most]) {
  const [low, high] = quantiles(values);
  const reach = 0.35 * (high - low);
  return [Math.max(least, low - reach), Math.min(most, high + reach)];
}

function recent(series, x) {
  const end = Math.min(x.high, series.lastStep);
  return extremes(series, { low: end - 0.1 * (end - x.low), high: end });
}

function union(a, b) {
  if (!a) return b;
  if (!b) return a;
  return [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
}

/**
 * Choose the axis: linear, or logarithmic when asked for or when the values span decades.
 *
 * @param {{core: number[], middle: number[], full: number[], points: number}} range
 * @param {number[]} references values that should be in sight, unless they are far away
 * @param {{choice: boolean|null, log: boolean, low?: number, high?: number}} was the person's
 *   choice and the present axis, which stays while it fits
 * @returns {{low: number, high: number, log: boolean, offered: boolean}}
 */
export function chooseAxis(range, references, was) {
  const worth = logWorth(...range.full);
  const automatic = range.points >= ENOUGH && logWorth(...range.middle).worth > (was.log ? 1.5 : 2.5);
  const log = worth.possible && (was.choice ?? automatic);
  let [low, high] = log ? range.full : range.core;
  for (const value of references) {
    const wider = union([low, high], [value, value]);
    if (log || size(wider) <= FAR * size([low, high])) [low, high] = wider;
  }
  if (stillFits(low, high, log, was)) [low, high] = [was.low, was.high];
  else [low, high] = roundRange(low, high, log);
  if (range.full[0] >= 0 && low < 0) low = 0;
  return { low, high, log, offered: worth.possible && (worth.worth > 1 || log) };
}

function size([low, high]) {
  return high - low || Math.abs(high) * 0.1 || 1;
}

function stillFits(low, high, log, was) {
  if (was.low === undefined || was.log !== log || low < was.low || high > was.high) return false;
  const on = log ? (v) => Math.log10(Math.abs(v)) : (v) => v;
  return Math.abs(on(was.high) - on(was.low)) <= 1.8 * Math.abs(on(high) - on(low));
}
