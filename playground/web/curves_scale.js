/** Axes: a value to a pixel, linear or logarithmic (of −y when all values are negative), ticks. */

import { tick } from "./curves_format.js";

/**
 * A scale from [low, high] to [from, to].
 * @param {boolean} log logarithmic; both ends must then have the same sign and be non-zero
 */
export function makeScale(low, high, from, to, log = false) {
  const turn = log ? transform(low < 0) : (v) => v;
  const a = turn(low);
  const factor = (to - from) / (turn(high) - a || 1);
  return { low, high, log, at: (value) => from + (turn(value) - a) * factor };
}

function transform(negative) {
  return negative
    ? (v) => -Math.log10(Math.max(-v, 1e-12))
    : (v) => Math.log10(Math.max(v, 1e-12));
}

/** The value at a pixel of a linear scale from [low, high] to [from, to]. */
export function invert(scale, pixel, from, to) {
  return scale.low + ((pixel - from) / (to - from || 1)) * (scale.high - scale.low);
}

/** Whether values of this range can stand on a log axis, and span enough to deserve one. */
export function logWorth(low, high) {
  if (!(low > 0 || high < 0)) return { possible: false, worth: 0 };
  return { possible: true, worth: Math.abs(Math.log10(Math.abs(high) / Math.abs(low))) };
}

/**
 * Tick values with their labels, at most about `count` of them.
 * @returns {{value: number, text: string}[]}
 */
export function ticks(low, high, count, log = false) {
  const values = log ? logTicks(low, high, count) : linearTicks(low, high, count);
  const step = log ? 0 : values.length > 1 ? values[1] - values[0] : Math.abs(high - low);
  return values.map((value) => ({ value, text: tick(value, log ? ownStep(value) : step) }));
}

function linearTicks(low, high, count) {
  const step = niceStep((high - low) / Math.max(count, 1));
  const values = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-6; v += step) {
    values.push(Math.abs(v) < step * 1e-6 ? 0 : v);
  }
  return values;
}

function logTicks(low, high, count) {
  const negative = high < 0;
  const [small, large] = negative ? [-high, -low] : [low, high];
  const values = [1, 2, 5].flatMap((m) => powers(m, small, large)).sort((a, b) => a - b);
  const decades = values.filter((v) => isPower(v));
  const chosen = values.length <= count + 1 ? values : decades.length > 1 ? decades : values;
  const thin = chosen.filter((_, i) => i % Math.ceil(chosen.length / (count + 1)) === 0);
  return negative ? thin.map((v) => -v).reverse() : thin;
}

function powers(mantissa, small, large) {
  const found = [];
  const first = Math.floor(Math.log10(small)) - 1;
  for (let e = first; e <= Math.ceil(Math.log10(large)); e += 1) {
    const value = mantissa * 10 ** e;
    if (value >= small * 0.999 && value <= large * 1.001) found.push(value);
  }
  return found;
}

function isPower(value) {
  const exponent = Math.log10(value);
  return Math.abs(exponent - Math.round(exponent)) < 1e-9;
}

function ownStep(value) {
  return 10 ** Math.floor(Math.log10(Math.abs(value)) + 1e-9);
}

/** The nearest step of 1, 2 or 5 times a power of ten that is not smaller. */
export function niceStep(rough) {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const mantissa = rough / power;
  return (mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10) * power;
}

/** Widen a range to round numbers, so that the axis stays still while values creep. */
export function roundRange(low, high, log) {
  if (log) return roundLog(low, high);
  const span = high - low || Math.abs(high) * 0.1 || 1;
  const step = niceStep(span / 8);
  return [Math.floor((low - span * 0.04) / step) * step, Math.ceil((high + span * 0.04) / step) * step];
}

function roundLog(low, high) {
  const negative = high < 0;
  const [small, large] = negative ? [-high, -low] : [low, high];
  const down = Math.floor(Math.log10(small) * 5 - 0.3) / 5;
  const up = Math.ceil(Math.log10(large) * 5 + 0.3) / 5;
  return negative ? [-(10 ** up), -(10 ** down)] : [10 ** down, 10 ** up];
}

/** The end of a step axis: the next of 1, 2, 5 times a power of ten, at most `limit`. */
export function stepEnd(last, limit) {
  const end = Math.max(niceStep(last), 50);
  return limit && limit >= last ? Math.min(end, limit) : end;
}
