// The layers of the lab's picture, each onto one canvas. They know pixels and colours, no runs.

import { cellAreas, levelLine } from "./lab_math.js";

const SHADES = 10; // of the warped grid: one filling each, which is far cheaper than one a cell
const MOST_OPAQUE = 0.7;
const MOST_ARROWS = 64; // more hide each other

/**
 * @typedef {object} View
 * @property {(p: number[]) => number[]} px a place on the plane -> pixels
 * @property {number} width
 * @property {number} height
 * @property {number} ratio device pixels of one pixel
 * @property {number} scale pixels of one unit
 * @property {number[]} range [x0, x1, y0, y1] that is seen
 */

/**
 * D's probability as a heat map, and the line on which it is one half.
 * @param {CanvasRenderingContext2D} ctx
 * @param {View} view
 * @param {{image: HTMLCanvasElement, grid: object, extent: number[]}} surface
 */
export function drawSurface(ctx, view, { image, grid, extent }, colours) {
  const [rows, columns] = grid.shape;
  const [left, top] = view.px([extent[0], extent[3]]);
  const [right, bottom] = view.px([extent[1], extent[2]]);
  const [cell, line] = [(right - left) / columns, (bottom - top) / rows];
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, right - left, bottom - top);
  ctx.clip();
  ctx.imageSmoothingEnabled = true; // between values as the pointer reads them
  ctx.drawImage(image, left, top, right - left, bottom - top);
  const pieces = levelLine(grid, 0.5);
  ctx.beginPath();
  for (let i = 0; i < pieces.length; i += 4) {
    ctx.moveTo(left + (pieces[i] + 0.5) * cell, top + (pieces[i + 1] + 0.5) * line);
    ctx.lineTo(left + (pieces[i + 2] + 0.5) * cell, top + (pieces[i + 3] + 0.5) * line);
  }
  ctx.strokeStyle = colours.ink;
  ctx.globalAlpha = 0.45;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.restore();
}

/** Where the generator takes a regular grid of noise: the denser it lands, the fuller the colour. */
export function drawWarp(ctx, view, warp, extent, colours) {
  const [rows, columns] = warp.shape;
  const areas = cellAreas(warp);
  const even = ((extent[1] - extent[0]) * (extent[3] - extent[2])) / areas.length;
  const pixels = warpPixels(view, warp);
  const shades = Array.from({ length: SHADES }, () => new Path2D());
  for (let i = 0; i < rows - 1; i += 1) {
    for (let j = 0; j < columns - 1; j += 1) {
      const a = 2 * (i * columns + j);
      const d = a + 2 * columns;
      const shade = shades[shadeOf(even / Math.max(areas[i * (columns - 1) + j], 1e-12))];
      shade.moveTo(pixels[a], pixels[a + 1]);
      shade.lineTo(pixels[a + 2], pixels[a + 3]);
      shade.lineTo(pixels[d + 2], pixels[d + 3]);
      shade.lineTo(pixels[d], pixels[d + 1]);
    }
  }
  ctx.save();
  ctx.fillStyle = colours.generator;
  shades.forEach((shade, i) => {
    ctx.globalAlpha = (MOST_OPAQUE * (i + 1)) / SHADES;
    ctx.fill(shade);
  });
  ctx.globalAlpha = 0.7;
  ctx.strokeStyle = colours.generator;
  ctx.lineWidth = 0.8;
  ctx.stroke(gridLines(pixels, rows, columns));
  ctx.restore();
}

/** A cell as dense as an even spread is faint; some hundreds of times denser is full. */
function shadeOf(density) {
  const opacity = Math.min(Math.max(0.12 + 0.1 * Math.log(density), 0), MOST_OPAQUE);
  return Math.min(Math.floor((opacity / MOST_OPAQUE) * SHADES), SHADES - 1);
}

function warpPixels(view, { data }) {
  const pixels = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 2) {
    const [x, y] = view.px([data[i], data[i + 1]]);
    pixels[i] = x;
    pixels[i + 1] = y;
  }
  return pixels;
}

function gridLines(pixels, rows, columns) {
  const path = new Path2D();
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      const at = 2 * (i * columns + j);
      if (j) path.lineTo(pixels[at], pixels[at + 1]);
      else path.moveTo(pixels[at], pixels[at + 1]);
    }
  }
  for (let j = 0; j < columns; j += 1) {
    for (let i = 0; i < rows; i += 1) {
      const at = 2 * (i * columns + j);
      if (i) path.lineTo(pixels[at], pixels[at + 1]);
      else path.moveTo(pixels[at], pixels[at + 1]);
    }
  }
  return path;
}

/**
 * Where D's gradient pushes generated points: rows of x, y, dx, dy. The longest arrow is
 * `longest` pixels; short ones keep their direction and are drawn by the root of their length.
 */
export function drawArrows(ctx, view, { data, shape }, colours, longest = 34) {
  let most = 0;
  const count = Math.min(shape[0], MOST_ARROWS);
  for (let i = 0; i < count; i += 1) most = Math.max(most, Math.hypot(data[4 * i + 2], data[4 * i + 3]));
  if (!(most > 0)) return;
  const path = new Path2D();
  for (let i = 0; i < count; i += 1) {
    const size = Math.hypot(data[4 * i + 2], data[4 * i + 3]);
    const length = longest * Math.sqrt(size / most);
    if (length < 2) continue;
    const [x, y] = view.px([data[4 * i], data[4 * i + 1]]);
    arrow(path, x, y, (data[4 * i + 2] / size) * length, (-data[4 * i + 3] / size) * length);
  }
  ctx.save();
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.strokeStyle = colours.paper;
  ctx.globalAlpha = 0.75;
  ctx.lineWidth = 3.2;
  ctx.stroke(path);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.3;
  ctx.stroke(path);
  ctx.restore();
}

function arrow(path, x, y, dx, dy) {
  const length = Math.hypot(dx, dy);
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(5, length * 0.5);
  const [tx, ty] = [x + dx, y + dy];
  path.moveTo(x, y);
  path.lineTo(tx, ty);
  path.moveTo(tx - head * (ux - 0.6 * uy), ty - head * (uy + 0.6 * ux));
  path.lineTo(tx, ty);
  path.lineTo(tx - head * (ux + 0.6 * uy), ty - head * (uy - 0.6 * ux));
}
