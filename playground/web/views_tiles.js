// Rows of tiles with captions, whose tiles may be picked.

import { h } from "./explorer_dom.js";
import { decoded, fittingSide, paintTiles } from "./views_pictures.js";

/** A row of tiles with captions, as wide as its place allows. */
export class TileRow {
  /** @param {{label: string, most?: number, gap?: number, onpick?: (index: number) => void}} options */
  constructor({ label, most = 56, gap = 3, onpick = null }) {
    Object.assign(this, { most, gap, onpick });
    this.canvas = h("canvas", { class: "x-tiles", role: "img", "aria-label": label });
    this.captions = h("div", { class: "x-captions", "aria-hidden": "true" });
    this.element = h("div", { class: `x-row${onpick ? " pickable" : ""}` }, this.canvas, this.captions);
    if (onpick) this.#listen(label);
    new ResizeObserver(() => this.#paint()).observe(this.element);
  }

  /**
   * @param {object} sheet
   * @param {{captions?: string[], indices?: number[], columns?: number, label?: string}} [options]
   *   `columns` below the number of tiles makes several rows, which have no captions
   */
  async show(sheet, { captions = sheet.captions, indices, columns, label } = {}) {
    const image = await decoded(sheet);
    const all = indices ?? Array.from({ length: sheet.rows * sheet.columns }, (_, i) => i);
    this.shownSheet = { sheet, image, captions, indices: all, columns: columns ?? all.length };
    const names = captions?.length ? `${label ?? sheet.alt}: ${captions.join(", ")}` : label ?? sheet.alt;
    this.canvas.setAttribute("aria-label", names);
    this.element.classList.add("filled");
    this.#paint();
  }

  #paint() {
    if (!this.shownSheet) return;
    const { sheet, image, captions, indices, columns } = this.shownSheet;
    const width = this.element.clientWidth;
    if (!width) return;
    const side = fittingSide(sheet, columns, width, this.gap, this.most);
    this.side = side;
    paintTiles(this.canvas, image, sheet, { side, gap: this.gap, indices, columns });
    this.onpaint?.(columns * side + (columns - 1) * this.gap);
    const template = `repeat(${indices.length}, ${side}px)`;
    this.captions.style.gridTemplateColumns = template;
    this.captions.style.columnGap = `${this.gap}px`;
    this.captions.replaceChildren(...(captions ?? []).slice(0, indices.length).map((text) => h("span", { title: text }, text)));
  }

  // ---- picking a tile, by pointer or by arrows and Enter ------------------------------------------

  #listen(label) {
    this.cursor = h("i", { class: "x-cell" });
    this.at = 0;
    this.element.append(this.cursor);
    Object.entries({ tabindex: 0, role: "application", "aria-label": label }).forEach(([k, v]) => this.canvas.setAttribute(k, v));
    this.canvas.addEventListener("click", (event) => this.#pick(event));
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.canvas.addEventListener("blur", () => this.cursor.classList.remove("shown"));
  }

  #key(event) {
    if (!this.shownSheet) return;
    const { indices, columns } = this.shownSheet;
    const way = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (way === undefined && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (way === undefined) this.onpick(this.at, event);
    else this.at = Math.min(Math.max(this.at + way, 0), indices.length - 1);
    this.#showCursor();
  }

  #showCursor() {
    const { columns } = this.shownSheet;
    const tall = this.#tall();
    Object.assign(this.cursor.style, {
      left: `${(this.at % columns) * (this.side + this.gap)}px`, top: `${Math.floor(this.at / columns) * (tall + this.gap)}px`,
      width: `${this.side}px`, height: `${tall}px`,
    });
    this.cursor.classList.add("shown");
  }

  #tall() {
    const { tile } = this.shownSheet.sheet;
    return (this.side * tile[0]) / tile[1];
  }

  #pick(event) {
    if (!this.side) return;
    const { indices, columns } = this.shownSheet;
    const column = Math.min(Math.floor(event.offsetX / (this.side + this.gap)), columns - 1);
    const tall = this.#tall() + this.gap;
    const index = Math.max(column, 0) + columns * Math.max(Math.floor(event.offsetY / tall), 0);
    if (index < indices.length) this.onpick(index, event);
  }
}
