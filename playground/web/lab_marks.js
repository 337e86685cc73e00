// Single marks on the lab's picture: points, mode centres, ticks, the place that is looked at.

import { tick } from "./curves_format.js";

const FULL = 2 * Math.PI;

/** Points as dots of one colour with a light rim; `shade(i)` may give each its own colour. */
export function drawPoints(ctx, view, xy, { colour, radius, alpha = 1, halo, shade }) {
  ctx.save();
  ctx.globalAlpha = alpha;
  const dots = new Map();
  const half = radius + 1;
  for (let i = 0; i + 1 < xy.length; i += 2) {
    const [x, y] = view.px([xy[i], xy[i + 1]]);
    if (x < -half || y < -half || x > view.width + half || y > view.height + half) continue;
    const fill = shade ? shade(i >> 1) : colour;
    if (!dots.has(fill)) dots.set(fill, dot(fill, radius, halo, view.ratio));
    ctx.drawImage(dots.get(fill), x - half, y - half, 2 * half, 2 * half);
  }
  ctx.restore();
}

const stamps = new Map(); // drawn dots, by what they look like

function dot(colour, radius, halo, ratio) {
  const key = `${colour} ${radius} ${halo} ${ratio}`;
  if (stamps.has(key)) return stamps.get(key);
  if (stamps.size > 600) stamps.clear();
  const side = Math.ceil((2 * radius + 2) * ratio);
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const ctx = canvas.getContext("2d");
  ctx.arc(side / 2, side / 2, radius * ratio, 0, FULL);
  ctx.fillStyle = colour;
  ctx.fill();
  if (halo) {
    ctx.strokeStyle = halo;
    ctx.lineWidth = 0.8 * ratio;
    ctx.stroke();
  }
  stamps.set(key, canvas);
  return canvas;
}

/** Mode centres: a full mark where a mode is covered, a half one where only by few, a cross where not. */
export function drawCentres(ctx, view, means, marks, sd, colours) {
  ctx.save();
  ctx.lineCap = "round";
  means.forEach((mean, k) => {
    const [x, y] = view.px(mean);
    ring(ctx, x, y, Math.max(3 * sd * view.scale, 9), colours);
    badge(ctx, x + 10, y - 10, marks[k], colours);
  });
  ctx.restore();
}

function ring(ctx, x, y, radius, colours) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, FULL);
  ctx.strokeStyle = colours.paper;
  ctx.lineWidth = 3;
  ctx.globalAlpha = 0.6;
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1;
  ctx.stroke();
}

function badge(ctx, x, y, mark, { marks, paper }) {
  ctx.beginPath();
  ctx.arc(x, y, 6.5, 0, FULL);
  ctx.fillStyle = marks[mark];
  ctx.fill();
  ctx.strokeStyle = paper;
  ctx.lineWidth = 1.2;
  ctx.stroke();
  ctx.beginPath();
  if (mark === "strict") {
    ctx.moveTo(x - 2.8, y + 0.2);
    ctx.lineTo(x - 0.8, y + 2.4);
    ctx.lineTo(x + 3, y - 2.2);
  } else if (mark === "loose") {
    ctx.moveTo(x - 2.8, y);
    ctx.lineTo(x + 2.8, y);
  } else {
    ctx.moveTo(x - 2.3, y - 2.3);
    ctx.lineTo(x + 2.3, y + 2.3);
    ctx.moveTo(x + 2.3, y - 2.3);
    ctx.lineTo(x - 2.3, y + 2.3);
  }
  ctx.strokeStyle = "#fff";
  ctx.lineWidth = 1.7;
  ctx.stroke();
}

/** A few numbers along the edges, so that the plane has a scale. */
export function drawTicks(ctx, view, colours) {
  const [x0, x1, y0, y1] = view.range;
  const step = niceStep((x1 - x0) / (view.width / 70));
  ctx.save();
  ctx.font = "10.5px system-ui, sans-serif";
  ctx.lineWidth = 3;
  ctx.strokeStyle = colours.paper;
  ctx.fillStyle = colours.ink;
  const write = (text, x, y) => {
    ctx.globalAlpha = 0.55;
    ctx.strokeText(text, x, y);
    ctx.globalAlpha = 0.75;
    ctx.fillText(text, x, y);
  };
  ctx.textAlign = "center";
  for (let v = Math.ceil(x0 / step) * step; v <= x1; v += step) {
    const [x] = view.px([v, 0]);
    if (x > 26 && x < view.width - 14) write(tick(round(v, step), step), x, view.height - 6);
  }
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (let v = Math.ceil(y0 / step) * step; v <= y1; v += step) {
    const [, y] = view.px([0, v]);
    if (y > 14 && y < view.height - 20) write(tick(round(v, step), step), 6, y);
  }
  ctx.restore();
}

const round = (value, step) => Math.round(value / step) * step;

function niceStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  return [1, 2, 5, 10].find((m) => m * power >= about) * power;
}

/** The place that a person looks at. */
export function drawProbe(ctx, view, place, colours, pinned) {
  const [x, y] = view.px(place);
  const path = new Path2D();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + 4 * dx, y + 4 * dy);
    path.lineTo(x + 11 * dx, y + 11 * dy);
  }
  if (pinned) path.arc(x, y, 4, 0, FULL);
  ctx.save();
  ctx.lineCap = "round";
  ctx.strokeStyle = colours.paper;
  ctx.lineWidth = 4;
  ctx.stroke(path);
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.6;
  ctx.stroke(path);
  ctx.restore();
}
