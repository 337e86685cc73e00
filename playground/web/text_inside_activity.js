// Activity over the text: what one unit does token by token, which units follow something known.

import { choice, h, inFrame, picker, setText } from "./explorer_dom.js";
import { number } from "./curves_format.js";
import { readArrays } from "./decode.js";
import { fill } from "./dom.js";
import { drawCells, signedColour, signedScale } from "./text_inside_colours.js";
import { Trace } from "./text_inside_trace.js";
import { Strip, quoted } from "./text_inside_strip.js";
import { emit, on, t } from "./store.js";

const ZERO = 128;
const CLEAR = 0.35; // a correlation from which a cell is worth a name; from experience
const ROW_PX = 3;
const HIGHEST_PX = 300;

export const buildActivity = (inside) => new ActivityView(inside);

class ActivityView {
  constructor(inside) {
    Object.assign(this, { inside, map: null, pieces: [], unit: 0, layer: null, kind: null, token: null, cells: null });
    this.#build();
    this.paint = inFrame(() => this.#paint());
    on("theme", () => { this.scale = null; this.#drawMap(); });
  }

  #build() {
    this.layers = picker({ label: t("text_training.inside.layer"), options: [], value: "", onchange: (layer) => this.#other({ layer: Number(layer) }) });
    this.kinds = h("span");
    this.units = h("input", {
      type: "number", class: "x-number ti-unit", min: "0", step: "1", "aria-label": t("text_training.inside.unit"),
      onchange: () => this.#choose(Number(this.units.value)), onkeydown: (event) => event.stopPropagation(),
    });
    this.liveliest = h("button", { type: "button", class: "play-button small", onclick: () => this.#choose(this.#strongest()) }, t("text_training.inside.strongest"));
    this.found = h("div", { class: "ti-cells" }, soon());
    this.strip = new Strip({ label: t("text_training.inside.activity_text"), onchoose: (i) => this.#point(i), onpoint: (i) => this.#point(i ?? this.token, i === null) });
    this.trace = new Trace({ onpoint: (i) => this.#point(i) });
    this.canvas = h("canvas", { class: "ti-map", onpointermove: (event) => this.#row(event), onpointerleave: () => this.#row(null), onclick: (event) => this.#row(event, true) });
    this.row = h("i", { class: "ti-map-row", "aria-hidden": "true" });
    this.reading = h("p", { class: "ti-reading", "aria-live": "polite" });
    this.mapReading = h("span", { class: "play-note" });
    this.element = h("div", { class: "x-stack" },
      h("section", {}, h("h4", { class: "x-sub" }, t("text_training.inside.cells")), this.found),
      h("div", { class: "x-line" }, this.layers.element, this.kinds, h("label", { class: "x-field" }, h("span", {}, t("text_training.inside.unit")), this.units), this.liveliest, h("i", { class: "ti-spacer" }), signedBar()),
      this.strip.element, this.trace.element, this.reading,
      h("figure", { class: "ti-map-figure" }, h("figcaption", {}, h("b", {}, t("text_training.inside.all_units")), " ", this.mapReading), h("div", { class: "ti-map-stage" }, this.canvas, this.row)));
  }

  clear() {
    Object.assign(this, { map: null, layer: null, kind: null, cells: null, unit: 0 });
    fill(this.found, soon());
  }

  async load() {
    const args = { ...(this.layer === null ? {} : { layer: this.layer }), ...(this.kind ? { kind: this.kind } : {}) };
    const answer = await this.inside.look("activity", args);
    if (!answer) return null;
    const { data, shape } = readArrays(answer).activity;
    const { pieces, scale, layer, layers, kind, kinds } = answer.values;
    Object.assign(this, { map: data, length: shape[0], count: shape[1], pieces, size: scale, layer, kind });
    if (this.unit >= this.count) this.unit = 0;
    this.strip.set(pieces);
    if (this.token === null || this.token >= this.length) this.token = this.length - 1;
    this.#drawControls(layers, Object.keys(kinds));
    this.#drawMap();
    this.paint();
    if (!this.cells) this.#find();
    return answer;
  }

  #drawControls(layers, kinds) {
    this.layers.set(Array.from({ length: layers }, (_, i) => [String(i), layerName(this.kind, i)]), String(this.layer));
    this.layers.element.hidden = layers < 2;
    this.units.max = this.count - 1;
    this.bar?.set(this.kind);
    if (kinds.join() === this.offered) return;
    this.offered = kinds.join();
    this.bar = choice({ label: t("text_training.inside.kind"), value: this.kind, options: kinds.map((kind) => [kind, t(`text_training.inside.kind_${kind}`)]), onchange: (kind) => this.#other({ kind, layer: null }) });
    fill(this.kinds, kinds.length > 1 ? this.bar.element : null);
  }

  #other(change) {
    Object.assign(this, change);
    return this.inside.attempt(() => this.load());
  }

  // ---- cells that follow something known -----------------------------------------------------------

  async #find() {
    this.cells = [];
    const { generation } = this.inside.lab;
    await this.inside.attempt(async () => {
      const answer = await this.inside.lab.ask("cells", {}, "inside-cells");
      if (!answer || generation !== this.inside.lab.generation) return;
      this.cells = answer.values.cells;
      this.#drawCells();
      const [best] = this.cells;
      if (best && Math.abs(best.correlation) >= CLEAR) this.#open(best, false);
    });
  }

  #drawCells() {
    fill(this.found, this.cells.length ? this.cells.map((cell) => this.#chip(cell)) : h("p", { class: "play-note" }, t("text_training.inside.cells_none")));
  }

  #chip(cell) {
    const size = Math.abs(cell.correlation);
    return h("button", {
      type: "button", class: `ti-cell${size < CLEAR ? " weak" : ""}`, "aria-pressed": String(this.#same(cell)), onclick: () => this.#open(cell, true),
      title: t("text_training.inside.cell_found", { kind: t(`text_training.inside.kind_${cell.kind}`), layer: layerName(cell.kind, cell.layer), unit: cell.unit, together: number(cell.together, 2) }),
    }, h("span", {}, t(`text_training.inside.property_${cell.property}`)), h("i", { class: "ti-cell-bar" }, h("i", { style: { width: `${100 * size}%` } })),
    h("b", { class: "play-number" }, number(cell.correlation, 2)));
  }

  #same({ layer, kind, unit }) {
    return layer === this.layer && kind === this.kind && unit === this.unit;
  }

  async #open(cell, byPerson) {
    if (byPerson) emit("tried", { what: "cell", property: cell.property, correlation: cell.correlation, unit: cell.unit });
    const elsewhere = cell.layer !== this.layer || cell.kind !== this.kind;
    this.unit = cell.unit;
    if (elsewhere) await this.#other({ layer: cell.layer, kind: cell.kind });
    this.#choose(cell.unit);
  }

  #mark() {
    [...this.found.querySelectorAll(".ti-cell")].forEach((chip, i) => chip.setAttribute("aria-pressed", String(this.#same(this.cells[i]))));
  }

  // ---- one unit -------------------------------------------------------------------------------------

  #value(i, unit = this.unit) {
    return ((this.map[i * this.count + unit] - ZERO) / (ZERO - 1)) * this.size;
  }

  /** The unit that moves most over this text. */
  #strongest() {
    let [best, most] = [0, -1];
    for (let unit = 0; unit < this.count; unit += 1) {
      let [sum, squares] = [0, 0];
      for (let i = 0; i < this.length; i += 1) {
        const value = this.map[i * this.count + unit];
        sum += value;
        squares += value * value;
      }
      const variance = squares / this.length - (sum / this.length) ** 2;
      if (variance > most && unit !== this.unit) [best, most] = [unit, variance];
    }
    return best;
  }

  #choose(unit) {
    if (!this.map || !Number.isInteger(unit) || unit < 0 || unit >= this.count) return;
    this.unit = unit;
    this.paint();
  }

  #point(i) {
    this.token = i;
    this.paint();
  }

  #row(event, choose = false) {
    if (!this.map) return;
    this.over = null;
    if (event) {
      const box = this.canvas.getBoundingClientRect();
      const part = (v, from, size, n) => Math.min(n - 1, Math.max(0, Math.floor(((v - from) / size) * n)));
      this.over = { unit: part(event.clientY, box.top, box.height, this.count), token: part(event.clientX, box.left, box.width, this.length) };
    }
    if (choose) this.#choose(this.over.unit);
    else this.paint();
  }

  // ---- drawing --------------------------------------------------------------------------------------

  #drawMap() {
    if (!this.map) return;
    this.scale ??= signedScale();
    const { map, count, scale } = this;
    drawCells(this.canvas, { rows: count, columns: this.length, at: (r, c) => map[c * count + r], scaleOf: () => scale });
    this.canvas.style.height = `${Math.min(HIGHEST_PX, Math.max(60, ROW_PX * count))}px`;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", t("text_training.inside.map_alt", { units: count, n: this.length }));
  }

  #paint() {
    if (!this.map) return;
    const values = Array.from({ length: this.length }, (_, i) => this.#value(i));
    const most = Math.max(...values.map(Math.abs), 1e-9);
    this.strip.paint((i) => signedColour(values[i] / most));
    this.strip.choose(this.token);
    this.trace.draw(values, this.pieces, this.token);
    if (document.activeElement !== this.units) this.units.value = this.unit;
    setText(this.reading, t("text_training.inside.unit_at", { unit: this.unit, token: quoted(this.pieces[this.token] ?? ""), value: number(values[this.token]) }));
    this.row.style.setProperty("--at", (this.unit + 0.5) / this.count);
    const { over } = this;
    setText(this.mapReading, over
      ? t("text_training.inside.unit_at", { unit: over.unit, token: quoted(this.pieces[over.token]), value: number(this.#value(over.token, over.unit)) })
      : t("text_training.inside.map_note"));
    this.#mark();
  }
}

/** Of the residual stream, layer 0 is what comes in. */
function layerName(kind, layer) {
  if (kind === "residual") return layer ? t("text_training.inside.after_layer", { n: layer }) : t("text_training.inside.after_embedding");
  return t("text_training.inside.layer_n", { n: layer + 1 });
}

const soon = () => h("p", { class: "play-note" }, t("text_training.inside.cells_soon"));

function signedBar() {
  return h("div", { class: "ti-scale signed", "aria-hidden": "true" }, h("span", {}, "−"), h("i"), h("span", {}, "+"));
}
