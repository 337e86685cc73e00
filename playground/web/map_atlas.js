// Decodings over the visible map, so that what follows the pointer needs no request.

import { loadImage } from "./decode.js";
import { debounce } from "./explorer_dom.js";

const CELLS = 24;
const MARGIN = 0.12; // decoded beyond the visible part on each side, for panning
const VIEW_MS = 150;
const BASE_MS = 120;

/** Keeps the newest sheet of decodings and blends the four nearest of them at any place. */
export class Atlas {
  /** @param {import("./explorer_space.js").Space} space */
  constructor(space) {
    this.space = space;
    this.sheet = null;
    this.image = null;
    this.pastSheet = null;
    this.listeners = new Set();
    this.serial = 0;
    const soon = debounce(() => this.refresh(), VIEW_MS);
    space.on("space", () => { this.sheet = this.asked = null; soon.now(); });
    space.on("weights", ({ live }) => { if (!live) soon.now(); });
    space.on("base", debounce(() => this.refresh(), BASE_MS));
    space.on("view", ({ user }) => {
      if (user || (!this.space.live && !this.#covers())) soon();
      if (user) this.space.emit("look");
    });
    space.on("past", (frame) => this.#takePast(frame));
  }

  /** Call `fn` whenever the decodings have changed. */
  onChange(fn) {
    this.listeners.add(fn);
  }

  /** Whether the sheet at hand fits what is visible. */
  #covers() {
    const { view } = this.space;
    if (!this.asked || !view) return false;
    const [x0, x1, y0, y1] = this.asked;
    const inside = view[0] >= x0 && view[1] <= x1 && view[2] >= y0 && view[3] <= y1;
    return inside && x1 - x0 < 1.6 * (view[1] - view[0]);
  }

  /** The part of the map to decode: what is visible and a little more. */
  #extent() {
    const [x0, x1, y0, y1] = this.space.view ?? this.space.extent ?? [-3, 3, -3, 3];
    const [dx, dy] = [(x1 - x0) * MARGIN, (y1 - y0) * MARGIN];
    return [x0 - dx, x1 + dx, y0 - dy, y1 + dy];
  }

  /** What a live run is asked to draw: nothing special while the map follows the data. */
  look() {
    return this.space.userView ? { extent: this.#extent() } : {};
  }

  async refresh() {
    if (this.space.status !== "ready") return;
    this.asked = this.#extent();
    const args = { extent: this.asked, n: CELLS, ...this.space.planeArgs(true) };
    try {
      const sheet = await this.space.ask("atlas", args, "atlas");
      if (sheet) await this.#show(sheet);
    } catch (error) {
      // Hovering then shows the last decodings; the views that were asked for say what is wrong.
      console.warn("The decodings under the pointer could not be refreshed:", error.message);
    }
  }

  takeLive(sheet) {
    return this.#show(sheet);
  }

  async #show(sheet) {
    const serial = (this.serial += 1);
    const image = await loadImage(sheet.src);
    if (serial !== this.serial) return;
    this.sheet = sheet;
    this.image = onCanvas(image);
    if (!this.pastSheet) this.listeners.forEach((fn) => fn());
  }

  async #takePast(frame) {
    const sheet = frame?.views?.grid;
    const wanted = (this.past = sheet?.extent ? sheet : null);
    if (!wanted) {
      this.pastSheet = null;
    } else {
      const image = await loadImage(sheet.src);
      if (this.past !== wanted) return;
      this.pastSheet = { sheet, image: onCanvas(image) };
    }
    this.listeners.forEach((fn) => fn());
  }

  /** Sheet and image that belong to what the map shows now; null when there is none. */
  current() {
    if (this.pastSheet) return this.pastSheet;
    if (this.space.past || !this.sheet) return null;
    return { sheet: this.sheet, image: this.image };
  }

  /**
   * Draw the decoding at map coordinates (x, y), blended from the four nearest cells, into a
   * canvas as large as one tile. Returns false where nothing is decoded.
   */
  draw(canvas, x, y) {
    const now = this.current();
    if (!now) return false;
    const { sheet, image } = now;
    const [x0, x1, y0, y1] = sheet.extent;
    const [h, w] = sheet.tile;
    const column = ((x - x0) / (x1 - x0)) * sheet.columns - 0.5;
    const row = ((y1 - y) / (y1 - y0)) * sheet.rows - 0.5;
    if (column < -1 || row < -1 || column > sheet.columns || row > sheet.rows) return false;
    fit(canvas, w, h);
    blend(canvas.getContext("2d"), image, w, h, column, row, sheet);
    return true;
  }
}

/** Four tiles with bilinear weights; each is opaque, so alphas in turn give the exact mean. */
function blend(context, image, w, h, column, row, { columns, rows }) {
  const c = Math.min(Math.max(column, 0), columns - 1);
  const r = Math.min(Math.max(row, 0), rows - 1);
  const [c0, r0] = [Math.min(Math.floor(c), Math.max(columns - 2, 0)), Math.min(Math.floor(r), Math.max(rows - 2, 0))];
  const [fx, fy] = [c - c0, r - r0];
  const tiles = [
    [c0, r0, (1 - fx) * (1 - fy)], [c0 + 1, r0, fx * (1 - fy)],
    [c0, r0 + 1, (1 - fx) * fy], [c0 + 1, r0 + 1, fx * fy],
  ];
  let total = 0;
  for (const [tx, ty, weight] of tiles) {
    if (weight < 1e-3 || tx >= columns || ty >= rows) continue;
    total += weight;
    context.globalAlpha = weight / total;
    context.drawImage(image, tx * w, ty * h, w, h, 0, 0, w, h);
  }
  context.globalAlpha = 1;
}

function fit(canvas, w, h) {
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
}

function onCanvas(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas;
}
