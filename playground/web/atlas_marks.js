// One colour and one mark for each state of a cell: none is told by its colour alone.
import { isDark } from "./theme.js";

// Green, yellow, vermilion, violet and grey differ in lightness too, for every kind of colour sight.
const COLOURS = {
  early: ["#98a1ad", "#6b7482"], covered: ["#009e73", "#1fb98d"], partly: ["#e0b000", "#e8c63d"],
  collapsed: ["#d55e00", "#f07c26"], orbiting: ["#7a5cf0", "#a592ff"], diverged: ["#3d434d", "#c3cad4"],
};

export const colour = (state) => COLOURS[state][isDark() ? 1 : 0];

const TURN = 2 * Math.PI;

const SHAPES = {
  early(ctx, r) {
    for (const x of [-0.7, 0, 0.7]) {
      ctx.moveTo(x * r + r * 0.16, 0);
      ctx.arc(x * r, 0, r * 0.16, 0, TURN);
    }
    ctx.fill();
  },
  covered(ctx, r) { // a tick
    ctx.moveTo(-0.8 * r, 0.05 * r);
    ctx.lineTo(-0.2 * r, 0.65 * r);
    ctx.lineTo(0.85 * r, -0.65 * r);
    ctx.stroke();
  },
  partly(ctx, r) { // a half moon
    ctx.arc(0, 0, 0.8 * r, 0, TURN);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(0, 0, 0.8 * r, Math.PI / 2, -Math.PI / 2);
    ctx.fill();
  },
  collapsed(ctx, r) { // all in one place
    ctx.arc(0, 0, 0.5 * r, 0, TURN);
    ctx.fill();
  },
  orbiting(ctx, r) { // an open circle with a head
    ctx.arc(0, 0, 0.72 * r, -0.2 * Math.PI, 1.35 * Math.PI);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(0.98 * r, -0.82 * r);
    ctx.lineTo(0.86 * r, 0.02 * r);
    ctx.lineTo(0.18 * r, -0.42 * r);
    ctx.fill();
  },
  diverged(ctx, r) { // a cross
    ctx.moveTo(-0.65 * r, -0.65 * r);
    ctx.lineTo(0.65 * r, 0.65 * r);
    ctx.moveTo(0.65 * r, -0.65 * r);
    ctx.lineTo(-0.65 * r, 0.65 * r);
    ctx.stroke();
  },
};

/** Draw a state's mark of radius r around (x, y). */
export function drawMark(ctx, state, x, y, r, ink = colour(state)) {
  ctx.save();
  ctx.translate(x, y);
  ctx.fillStyle = ctx.strokeStyle = ink;
  ctx.lineWidth = Math.max(1.2, r * 0.36);
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.beginPath();
  SHAPES[state](ctx, r);
  ctx.restore();
}

/**
 * Draw points of the plane into a square box.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{x: number, y: number, size: number}} box
 * @param {number[]} extent x0, x1, y0, y1
 * @param {ArrayLike<number>} xy
 * @param {{ink: string, radius: number, alpha?: number}} look
 */
export function drawCloud(ctx, box, extent, xy, { ink, radius, alpha = 1 }) {
  const [x0, x1, y0, y1] = extent;
  const [across, up] = [box.size / (x1 - x0), box.size / (y1 - y0)];
  ctx.save();
  ctx.globalAlpha = alpha;
  ctx.fillStyle = ink;
  ctx.beginPath();
  for (let i = 0; i + 1 < xy.length; i += 2) {
    const [x, y] = [box.x + (xy[i] - x0) * across, box.y + (y1 - xy[i + 1]) * up];
    if (x < box.x || y < box.y || x > box.x + box.size || y > box.y + box.size) continue;
    ctx.moveTo(x + radius, y);
    ctx.arc(x, y, radius, 0, TURN);
  }
  ctx.fill();
  ctx.restore();
}

/** Let a canvas have `width` x `height` CSS pixels, sharp; returns its context, cleared. */
export function sharp(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}
