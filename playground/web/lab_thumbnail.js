// A past drawing of the lab, small enough for the timeline's strip.

import { readArrays } from "./decode.js";
import { h } from "./dom.js";
import { colours, paintGrid } from "./lab_colours.js";
import { drawPoints } from "./lab_marks.js";

const [WIDTH, HEIGHT, RATIO] = [44, 40, 2];

/**
 * Draw a kept "lab" payload: D's surface and the generated points.
 * @returns {HTMLCanvasElement}
 */
export function thumbnail(payload) {
  const { generated, surface } = readArrays(payload);
  const [x0, x1, y0, y1] = payload.values.extent;
  const look = colours();
  const canvas = h("canvas", { width: WIDTH * RATIO, height: HEIGHT * RATIO });
  const small = document.createElement("canvas");
  const ctx = canvas.getContext("2d");
  ctx.scale(RATIO, RATIO);
  paintGrid(small, surface, look.scale);
  ctx.drawImage(small, 0, (HEIGHT - WIDTH) / 2, WIDTH, WIDTH);
  const unit = WIDTH / (x1 - x0);
  const px = ([x, y]) => [(x - x0) * unit, (y1 - y) * unit + (HEIGHT - (y1 - y0) * unit) / 2];
  const view = { px, width: WIDTH, height: HEIGHT, ratio: RATIO };
  drawPoints(ctx, view, generated.data, { colour: look.generated, radius: 0.9 });
  return canvas;
}
