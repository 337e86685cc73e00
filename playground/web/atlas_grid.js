// The map of all cells: one square for each pair of learning rates.

import { STATES, rate } from "./atlas_state.js";
import { colour, drawCloud, drawMark, sharp } from "./atlas_marks.js";
import { inFrame } from "./explorer_dom.js";
import { t } from "./store.js";
import { accent, ink, muted, paper } from "./theme.js";

const LEFT = 62; // room for the rates of G
const BOTTOM = 34; // for those of D
const LARGEST = 58; // pixels of a cell
const SCATTER = 22; // from this size on a cell shows its points
const FONT = "11px";

export class AtlasMap {
  /** @param {import("./atlas_state.js").Atlas} atlas */
  constructor(atlas, canvas) {
    this.atlas = atlas;
    this.canvas = canvas;
    this.width = 0;
    this.cursor = null; // {row, column} under pointer or keyboard
    this.draw = inFrame(() => this.#draw());
  }

  resize(width) {
    if (width === this.width || width <= 0) return;
    this.width = width;
    this.draw();
  }

  /** How many rows and columns there are; ten before anything is known. */
  shape() {
    const { reading, run } = this.atlas;
    if (reading) return [reading.rows.length, reading.columns.length];
    return [run?.config?.generator_rates ?? 10, run?.config?.discriminator_rates ?? 10];
  }

  /** Size of a cell and of the whole, in CSS pixels. */
  layout() {
    const [rows, columns] = this.shape();
    const size = Math.max(8, Math.min(LARGEST, Math.floor((this.width - LEFT - 1) / columns)));
    return { rows, columns, size, width: LEFT + size * columns + 1, height: size * rows + BOTTOM + 1 };
  }

  /** The cell at a place of the canvas, or null; row 0 is at the bottom. */
  at(x, y) {
    const { rows, columns, size } = this.layout();
    const [column, down] = [Math.floor((x - LEFT) / size), Math.floor(y / size)];
    if (column < 0 || column >= columns || down < 0 || down >= rows) return null;
    return { row: rows - 1 - down, column };
  }

  /** The middle of a cell, in CSS pixels of the canvas. */
  middle({ row, column }) {
    const { rows, size } = this.layout();
    return [LEFT + (column + 0.5) * size, (rows - 0.5 - row) * size];
  }

  #draw() {
    if (!this.width) return;
    const layout = this.layout();
    const ctx = sharp(this.canvas, layout.width, layout.height);
    const { reading } = this.atlas;
    this.canvas.dataset.step = reading?.step ?? "";
    for (let row = 0; row < layout.rows; row += 1) {
      for (let column = 0; column < layout.columns; column += 1) this.#cell(ctx, layout, reading, row, column);
    }
    this.#axes(ctx, layout, reading);
    for (const [place, line] of [[this.atlas.selected, 2.5], [this.cursor, 1.5]]) {
      if (!place || place.row >= layout.rows || place.column >= layout.columns) continue;
      const [x, y] = this.middle(place);
      ctx.strokeStyle = place === this.cursor ? ink() : accent();
      ctx.lineWidth = line;
      ctx.strokeRect(x - layout.size / 2 + 0.5, y - layout.size / 2 + 0.5, layout.size, layout.size);
    }
  }

  #cell(ctx, { rows, columns, size }, reading, row, column) {
    const [x, y] = [LEFT + column * size + 1, (rows - 1 - row) * size + 1];
    const inside = size - 1;
    const cell = row * columns + column;
    const state = reading ? STATES[reading.state[cell]] : "early";
    const scatter = reading && size >= SCATTER;
    ctx.save();
    ctx.globalAlpha = reading ? (scatter ? 0.26 : 0.5) : 0.12;
    ctx.fillStyle = colour(state);
    ctx.fillRect(x, y, inside, inside);
    ctx.restore();
    if (!reading) return;
    if (!scatter) {
      drawMark(ctx, state, x + inside / 2, y + inside / 2, inside * 0.3, ink());
      return;
    }
    const box = { x, y, size: inside };
    const start = cell * reading.each * 2;
    drawCloud(ctx, box, reading.extent, reading.samples.subarray(start, start + reading.each * 2), {
      ink: ink(), radius: size >= 40 ? 1.3 : 1, alpha: 0.75,
    });
    const r = Math.max(3.4, size * 0.1);
    ctx.fillStyle = paper();
    ctx.fillRect(x + inside - 2 * r - 3, y, 2 * r + 3, 2 * r + 3);
    ctx.fillStyle = colour(state);
    ctx.globalAlpha = 0.3;
    ctx.fillRect(x + inside - 2 * r - 3, y, 2 * r + 3, 2 * r + 3);
    ctx.globalAlpha = 1;
    drawMark(ctx, state, x + inside - r - 1.5, y + r + 1.5, r, ink());
  }

  #axes(ctx, { rows, columns, size, height }, reading) {
    ctx.fillStyle = muted();
    ctx.font = `${FONT} ${getComputedStyle(this.canvas).fontFamily}`;
    if (reading) {
      ctx.textAlign = "right";
      ctx.textBaseline = "middle";
      const each = size >= 13 ? 1 : 2;
      for (let row = 0; row < rows; row += each) ctx.fillText(rate(reading.rows[row]), LEFT - 5, (rows - 0.5 - row) * size);
      ctx.textAlign = "center";
      ctx.textBaseline = "top";
      const apart = Math.max(1, Math.ceil(40 / size));
      for (let column = 0; column < columns; column += apart) {
        ctx.fillText(rate(reading.columns[column]), LEFT + (column + 0.5) * size, rows * size + 4);
      }
    }
    ctx.textAlign = "center";
    ctx.textBaseline = "bottom";
    ctx.fillStyle = ink();
    ctx.fillText(t("atlas.axis_d"), LEFT + (columns * size) / 2, height - 1);
    ctx.save();
    ctx.translate(1, (rows * size) / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.textBaseline = "top";
    ctx.fillText(t("atlas.axis_g"), 0, 0);
    ctx.restore();
  }
}
