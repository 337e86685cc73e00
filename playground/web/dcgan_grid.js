// The grid of samples: eight by eight pictures of one seed, and what they are drawn from.

import { button, errorLine, h, numberField, picker, setText, slider } from "./explorer_dom.js";
import { decoded, download, fittingSide, paintTiles } from "./views_pictures.js";
import { COLUMNS, COUNT } from "./dcgan_sampler.js";
import { cut, draggable } from "./dcgan_tiles.js";
import { emit, state, t } from "./store.js";

const GAP = 2;
const MOST_SEED = 2 ** 31 - 1;
const ALL = Array.from({ length: COUNT }, (_, i) => i);
const WAYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };

export class SampleGrid {
  /**
   * @param {import("./dcgan_sampler.js").Sampler} sampler
   * @param {{badge: HTMLElement, ondrop: (target: HTMLElement, sample: object) => void}} parts
   */
  constructor(sampler, { badge, ondrop }) {
    Object.assign(this, { sampler, side: 0 });
    this.#build(badge);
    this.drag = draggable(this.canvas, { grab: (event) => this.#grab(event), drop: ondrop });
    sampler.on("space", () => this.#space());
    sampler.on("samples", () => this.#show());
    sampler.on("chosen", () => this.#mark());
    sampler.on("status", () => this.#status());
    sampler.on("past", () => this.#status());
    sampler.on("failed", (error) => this.failure.show(error));
    new ResizeObserver(() => this.#paint()).observe(this.stage);
  }

  // ---- parts --------------------------------------------------------------------------------------

  #build(badge) {
    this.canvas = h("canvas", {
      class: "dc-grid-canvas", tabindex: 0, role: "application", "aria-label": t("dcgan.grid_label"),
      onclick: (event) => this.#click(event), onkeydown: (event) => this.#key(event),
    });
    this.cell = h("i", { class: "x-cell" });
    this.empty = h("p", { class: "dc-message" });
    this.stage = h("div", { class: "dc-grid-stage loading" }, this.canvas, this.cell, this.empty);
    this.state = h("span", { class: "dc-state" });
    this.failure = errorLine();
    const save = button({ symbol: "download", label: t("dcgan.download_grid"), kind: "small quiet dc-save", onclick: () => this.#save() });
    this.element = h("section", { class: "play-card dc-grid", "aria-label": t("dcgan.samples") },
      h("div", { class: "x-head" }, h("h3", { class: "play-title" }, t("dcgan.samples")), this.state, h("i", { class: "dc-spacer" }), badge),
      this.stage, this.failure.element, this.#controls(save));
  }

  #controls(save) {
    this.seedField = numberField({
      label: t("dcgan.seed"), value: 0, step: 1, min: 0, max: MOST_SEED, onchange: (v) => this.#reseed(v),
    });
    const again = button({ text: t("dcgan.new_seed"), symbol: "dice", kind: "small primary", onclick: () => this.#reseed(this.sampler.seed + 1) });
    this.truncation = slider({
      label: t("dcgan.truncation"), min: 0.3, max: 1, step: 0.05, value: 1, format: (v) => v.toFixed(2),
      oninput: (truncation) => { this.sampler.set({ truncation }); emit("tried", { what: "truncation", truncation }); },
    });
    this.truncation.element.title = t("dcgan.truncation_help");
    this.classes = picker({
      label: t("dcgan.class"), options: [], value: "", onchange: (value) => {
        this.sampler.set({ label: value === "" ? null : Number(value) });
        emit("tried", { what: "class" });
      },
    });
    this.classes.element.hidden = true;
    return h("div", { class: "x-line dc-controls" }, again, this.seedField.element, this.truncation.element, this.classes.element, save);
  }

  #space() {
    const { sampler } = this;
    this.failure.clear();
    this.classes.element.hidden = !sampler.conditional;
    const options = [["", t("dcgan.class_any")], ...sampler.classNames.slice(0, 200).map((name, i) => [i, name])];
    this.classes.set(options, sampler.label ?? "");
    this.#status();
  }

  #reseed(value) {
    const seed = Math.min(Math.max(Math.round(value), 0), MOST_SEED);
    this.clicked = performance.now();
    this.seedField.set(seed);
    this.sampler.set({ seed });
    emit("tried", { what: "sample" });
  }

  #status() {
    const { sampler } = this;
    this.stage.classList.toggle("loading", sampler.status === "loading");
    this.stage.classList.toggle("past", Boolean(sampler.past));
    this.stage.classList.toggle("empty", sampler.status === "empty");
    setText(this.empty, sampler.status === "empty" ? t("dcgan.empty") : "");
    if (sampler.status === "ready") this.failure.clear();
    const step = (sampler.past?.step ?? state.run?.step ?? 0).toLocaleString("en");
    const kind = sampler.past ? "past" : sampler.live ? "live" : "";
    this.state.className = `dc-state ${kind}`;
    setText(this.state, kind ? t(`dcgan.${kind}_step`, { step }) : "");
  }

  // ---- drawing ------------------------------------------------------------------------------------

  async #show() {
    const sheet = this.sampler.sheet();
    if (!sheet) return;
    const image = await decoded(sheet);
    if (sheet !== this.sampler.sheet()) return;
    this.shown = { sheet, image };
    this.#paint();
    this.#status();
    this.sampler.emit("drawn", this.shown);
  }

  #paint() {
    const width = this.stage.clientWidth;
    if (!this.shown || !width) return;
    const { sheet, image } = this.shown;
    this.side = fittingSide(sheet, COLUMNS, width, GAP);
    const count = Math.min(COUNT, sheet.rows * sheet.columns);
    paintTiles(this.canvas, image, sheet, { side: this.side, gap: GAP, indices: ALL.slice(0, count), columns: COLUMNS });
    this.canvas.dataset.paints = Number(this.canvas.dataset.paints ?? 0) + 1;
    if (this.clicked) this.#measure();
    this.#mark();
  }

  #measure() {
    const { clicked } = this;
    this.clicked = 0;
    requestAnimationFrame(() => setTimeout(() => {
      this.element.dataset.sampleMs = (performance.now() - clicked).toFixed(1);
    }, 0));
  }

  #mark() {
    const { chosen } = this.sampler;
    const on = "index" in chosen && this.side > 0;
    this.cell.classList.toggle("shown", on);
    if (!on) return;
    const step = this.side + GAP;
    Object.assign(this.cell.style, {
      left: `${this.canvas.offsetLeft + (chosen.index % COLUMNS) * step}px`,
      top: `${this.canvas.offsetTop + Math.floor(chosen.index / COLUMNS) * step}px`,
      width: `${this.side}px`, height: `${this.side}px`,
    });
    this.canvas.setAttribute("aria-label", `${t("dcgan.grid_label")} ${t("dcgan.grid_at", { n: chosen.index + 1, count: COUNT })}`);
  }

  /** The picture of a place of the grid, on a canvas of its own; null before there is one. */
  picture(index) {
    return this.shown ? cut(this.shown.image, this.shown.sheet, index) : null;
  }

  // ---- choosing -----------------------------------------------------------------------------------

  #indexAt(event) {
    if (!this.side) return -1;
    const column = Math.min(Math.floor(event.offsetX / (this.side + GAP)), COLUMNS - 1);
    const row = Math.min(Math.floor(event.offsetY / (this.side + GAP)), COLUMNS - 1);
    return column < 0 || row < 0 ? -1 : row * COLUMNS + column;
  }

  #click(event) {
    const index = this.#indexAt(event);
    if (index < 0 || this.drag.moved) return;
    this.sampler.choose(index, "click");
    this.#pick(index);
  }

  #key(event) {
    const { chosen } = this.sampler;
    const at = "index" in chosen ? chosen.index : 0;
    const to = event.key in WAYS ? at + WAYS[event.key] : { Home: 0, End: COUNT - 1 }[event.key];
    if (to === undefined && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (to === undefined) this.#pick(at);
    else if (to >= 0 && to < COUNT) this.sampler.choose(to, "key");
  }

  /** Move the choice to the next sample of the grid, or the one before. */
  step(by) {
    const { chosen } = this.sampler;
    const at = "index" in chosen ? chosen.index : -by;
    this.sampler.choose((at + by + COUNT) % COUNT, "button");
  }

  /** A sample was clicked: whoever collects samples may take it. */
  #pick(index) {
    const sample = this.#sample(index);
    if (sample) this.sampler.emit("pick", sample);
    emit("tried", { what: "look" });
  }

  #sample(index) {
    const { sampler } = this;
    const z = sampler.drawn?.zs?.[index];
    if (!z || sampler.past || !this.shown) return null;
    return { z, label: sampler.label ?? sampler.drawn.labels?.[index] ?? null, picture: this.picture(index), name: t("dcgan.sample_name", { n: index + 1 }) };
  }

  #grab(event) {
    const index = this.#indexAt(event);
    return index < 0 ? null : this.#sample(index);
  }

  #save() {
    if (!this.shown) return;
    const { sheet, image } = this.shown;
    const canvas = document.createElement("canvas");
    paintTiles(canvas, image, sheet, { side: 2 * sheet.tile[1], gap: 0, indices: ALL.slice(0, sheet.rows * sheet.columns), columns: COLUMNS });
    download(canvas, `samples-${this.sampler.seed}.png`);
    emit("tried", { what: "download" });
  }
}
