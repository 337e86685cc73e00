/** One chart onto one canvas. Knows pixels and colours, nothing of runs. */

import { invert } from "./curves_scale.js";

export const MARGIN = { left: 42, right: 8, top: 5, bottom: 17 };

const scratch = new Float64Array(2048);

/**
 * @typedef {object} Line
 * @property {import("./curves_series.js").Series} series
 * @property {string} colour
 * @property {number} width
 * @property {number[]} [dash]
 * @property {number} [alpha]
 * @property {boolean} [dots] mark each point when there are few
 * @property {boolean} [smooth] draw the moving average, the raw curve faint behind it
 *
 * @typedef {object} Plot
 * @property {number} width
 * @property {number} height
 * @property {{low: number, high: number, at: (v: number) => number}} x
 * @property {{low: number, high: number, at: (v: number) => number}} y
 * @property {{value: number, text: string}[]} xTicks
 * @property {{value: number, text: string}[]} yTicks
 * @property {string} xName
 * @property {Line[]} lines
 * @property {{value: number, text: string, falling?: boolean}[]} references
 * @property {{step: number, kind: string}[]} marks
 * @property {number} [from] the first pixel column to draw
 * @property {Object<string, string>} colours ink, muted, line, paper, changed, alert, diverged, saved
 */

/**
 * Draw a plot, or only what lies to the right of a pixel column: the rest stands already.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Plot} plot
 * @param {number} [from] a whole pixel
 */
export function draw(ctx, plot, from = 0) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(from, 0, plot.width - from, plot.height);
  ctx.clip();
  ctx.clearRect(from, 0, plot.width - from, plot.height);
  drawAll(ctx, { ...plot, from });
  ctx.restore();
}

function drawAll(ctx, plot) {
  ctx.font = "10.5px system-ui, sans-serif";
  drawGrid(ctx, plot);
  drawSteps(ctx, plot);
  ctx.save();
  ctx.beginPath();
  const inner = innerBox(plot);
  ctx.rect(inner.left, inner.top - 2, inner.right - inner.left + 1, inner.bottom - inner.top + 4);
  ctx.clip();
  drawMarks(ctx, plot);
  for (const reference of plot.references) drawReference(ctx, plot, reference);
  for (const line of plot.lines) drawLine(ctx, plot, line);
  ctx.restore();
  drawFlags(ctx, plot);
}

function innerBox({ width, height }) {
  return {
    left: MARGIN.left,
    right: width - MARGIN.right,
    top: MARGIN.top,
    bottom: height - MARGIN.bottom,
  };
}

function drawGrid(ctx, plot) {
  const { left, right } = innerBox(plot);
  ctx.strokeStyle = plot.colours.line;
  ctx.fillStyle = plot.colours.muted;
  ctx.lineWidth = 1;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.beginPath();
  for (const { value, text } of plot.yTicks) {
    const y = Math.round(plot.y.at(value)) + 0.5;
    ctx.moveTo(left, y);
    ctx.lineTo(right, y);
    ctx.fillText(text, left - 6, Math.min(Math.max(y, 6), plot.height - 8));
  }
  ctx.stroke();
}

function drawSteps(ctx, plot) {
  const { right, bottom } = innerBox(plot);
  const nameStart = right - ctx.measureText(plot.xName).width;
  ctx.fillStyle = plot.colours.muted;
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "center";
  for (const { value, text } of plot.xTicks) {
    const x = plot.x.at(value);
    if (x + ctx.measureText(text).width / 2 + 6 > nameStart) continue;
    ctx.fillText(text, x, bottom + 13);
  }
  ctx.textAlign = "right";
  ctx.fillText(plot.xName, right, bottom + 13);
}

function drawReference(ctx, plot, { value, text, falling }) {
  const { left, right, top, bottom } = innerBox(plot);
  ctx.textAlign = falling ? "right" : "left"; // where the curve is not: a rising one has not come to the left yet
  const x = falling ? right - 4 : left + 4;
  if (plot.y.at(value) < top - 1 || plot.y.at(value) > bottom + 1) return drawBeyond(ctx, plot, value, text, x);
  const above = plot.y.at(value) - top > 13;
  const y = Math.round(plot.y.at(value)) + 0.5;
  ctx.strokeStyle = plot.colours.reference;
  ctx.fillStyle = plot.colours.reference;
  ctx.lineWidth = 1;
  ctx.setLineDash([1.5, 2.5]);
  ctx.beginPath();
  ctx.moveTo(left, y);
  ctx.lineTo(right, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.textBaseline = above ? "bottom" : "top";
  ctx.fillText(text, x, y + (above ? -1 : 3));
}

/** A reference outside the axis: its name at the edge where it would be. */
function drawBeyond(ctx, plot, value, text, x) {
  const { top, bottom } = innerBox(plot);
  const over = plot.y.at(value) < top;
  ctx.fillStyle = plot.colours.reference;
  ctx.textBaseline = over ? "top" : "bottom";
  ctx.fillText(`${over ? "↑" : "↓"} ${text}`, x, over ? top + 1 : bottom - 2);
}

function drawLine(ctx, plot, line) {
  ctx.strokeStyle = line.colour;
  ctx.fillStyle = line.colour;
  ctx.lineJoin = "round";
  ctx.setLineDash(line.dash ?? []);
  const alpha = line.alpha ?? 1;
  if (line.smooth && line.series.length > 4) {
    trace(ctx, plot, line.series, line.series.y, alpha * 0.28, line.width);
    trace(ctx, plot, line.series, line.series.smoothed(scratch), alpha, line.width);
  } else {
    trace(ctx, plot, line.series, line.series.y, alpha, line.width);
  }
  ctx.setLineDash([]);
  if (line.dots && line.series.length <= 48) drawDots(ctx, plot, line, alpha);
  ctx.globalAlpha = 1;
}

/** A path with at most four points a pixel column: first, lowest, highest, last. */
function trace(ctx, plot, series, values, alpha, width) {
  const [from, to] = visible(series, plot);
  if (from >= to) return;
  ctx.globalAlpha = alpha;
  ctx.lineWidth = width;
  ctx.beginPath();
  let column = NaN;
  let low = 0;
  let high = 0;
  let last = 0;
  let previous = 0;
  for (let i = from; i < to; i += 1) {
    const px = plot.x.at(series.x[i]);
    const py = plot.y.at(values[i]);
    if (Math.round(px) !== column) {
      if (i > from && low !== high) closeColumn(ctx, previous, low, high, last);
      column = Math.round(px);
      low = high = py;
      if (i === from) ctx.moveTo(px, py);
      else ctx.lineTo(px, py);
    } else {
      low = Math.min(low, py);
      high = Math.max(high, py);
    }
    last = py;
    previous = px;
  }
  if (low !== high) closeColumn(ctx, previous, low, high, last);
  ctx.stroke();
}

function closeColumn(ctx, x, low, high, last) {
  ctx.lineTo(x, low);
  ctx.lineTo(x, high);
  ctx.lineTo(x, last);
}

/** The index range of a series that is to be drawn, a point beyond each edge. */
function visible(series, { x, from: pixel }) {
  if (!series.length) return [0, 0];
  const first = pixel ? invert(x, pixel, x.at(x.low), x.at(x.high)) : x.low;
  const start = Math.max(0, series.nearest(first) - 2);
  const end = Math.min(series.length, series.nearest(x.high) + 2);
  return [start, end];
}

function drawDots(ctx, plot, line, alpha) {
  ctx.globalAlpha = alpha;
  const [from, to] = visible(line.series, plot);
  for (let i = from; i < to; i += 1) {
    ctx.beginPath();
    ctx.arc(plot.x.at(line.series.x[i]), plot.y.at(line.series.y[i]), 2.4, 0, 7);
    ctx.fill();
  }
}

function drawMarks(ctx, plot) {
  const { top, bottom } = innerBox(plot);
  for (const { step, kind } of plot.marks) {
    if (kind === "saved" || step < plot.x.low || step > plot.x.high) continue;
    const x = Math.round(plot.x.at(step)) + 0.5;
    ctx.strokeStyle = plot.colours[kind];
    ctx.lineWidth = 1;
    ctx.setLineDash(kind === "changed" ? [3, 3] : []);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

/** What stands on the axis itself: a triangle for a change, a bar for an alert, a diamond for a save. */
function drawFlags(ctx, plot) {
  const { top, bottom } = innerBox(plot);
  for (const { step, kind } of plot.marks) {
    if (step < plot.x.low || step > plot.x.high) continue;
    const x = plot.x.at(step);
    ctx.fillStyle = plot.colours[kind];
    ctx.beginPath();
    if (kind === "saved") polygon(ctx, [x, bottom - 3, x + 3, bottom, x, bottom + 3, x - 3, bottom]);
    else if (kind === "changed") polygon(ctx, [x - 4, top - 4, x + 4, top - 4, x, top + 3]);
    else ctx.rect(x - 3, top - 4, 6, 6);
    ctx.fill();
  }
}

function polygon(ctx, points) {
  ctx.moveTo(points[0], points[1]);
  for (let i = 2; i < points.length; i += 2) ctx.lineTo(points[i], points[i + 1]);
  ctx.closePath();
}
