/** Which part of the values a chart shows: the present, not the first steps' leap. */

import { logWorth, roundRange } from "./curves_scale.js";

const SAMPLE = 256;
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
 * @returns {{core: number[], full: number[], points: number}|null}
 */
export function valueRange(lines, x) {
  let core = null;
  let full = null;
  let points = 0;
  for (const { series } of lines) {
    const values = sample(series, x);
    if (!values.length) continue;
    points += values.length;
    full = union(full, [values[0], values[values.length - 1]]);
    core = union(core, central(values));
    core = union(core, recent(series, x));
  }
  return core && { core, full, points };
}

function sample(series, x) {
  const inside = [];
  const stride = Math.max(1, Math.floor(series.length / SAMPLE));
  for (let i = series.length - 1; i >= 0; i -= stride) {
    if (series.x[i] >= x.low && series.x[i] <= x.high) inside.push(series.y[i]);
  }
  return Float64Array.from(inside).sort();
}

function central(values) {
  const at = (q) => values[Math.round(q * (values.length - 1))];
  const low = at(0.1);
  const high = at(0.9);
  const reach = 0.35 * (high - low);
  return [Math.max(values[0], low - reach), Math.min(values[values.length - 1], high + reach)];
}

function recent(series, x) {
  const start = x.high - 0.1 * (Math.min(x.high, series.lastStep) - x.low);
  let range = null;
  for (let i = series.length - 1; i >= 0 && series.x[i] >= Math.min(start, series.lastStep); i -= 1) {
    if (series.x[i] <= x.high) range = union(range, [series.y[i], series.y[i]]);
  }
  return range;
}

function union(a, b) {
  if (!a) return b;
  if (!b) return a;
  return [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
}

/**
 * Choose the axis: linear, or logarithmic when asked for or when the values span decades.
 *
 * @param {{core: number[], full: number[], points: number}} range
 * @param {number[]} references values that must be in sight
 * @param {{choice: boolean|null, log: boolean}} was the person's choice and the present state
 * @returns {{low: number, high: number, log: boolean, offered: boolean}}
 */
export function chooseAxis(range, references, was) {
  const worth = logWorth(...range.full);
  const automatic = range.points >= ENOUGH && logWorth(...range.core).worth > (was.log ? 1.5 : 2.5);
  const log = worth.possible && (was.choice ?? automatic);
  let [low, high] = log ? range.full : range.core;
  for (const value of references) [low, high] = union([low, high], [value, value]);
  [low, high] = roundRange(low, high, log);
  if (range.full[0] >= 0 && low < 0) low = 0;
  return { low, high, log, offered: worth.possible && (worth.worth > 1 || log) };
}
