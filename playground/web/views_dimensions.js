// What each latent dimension carries: its KL, what happens along it, a slider; and which plane the
// map shows when there are more than two.

import { button, choice, errorLine, h, picker, setText, slider } from "./explorer_dom.js";
import { freshness } from "./explorer_tabs.js";
import { subscript } from "./map.js";
import { TileRow } from "./views_tiles.js";
import { shown } from "./decode.js";
import { emit, t } from "./store.js";

const FRAMES = 11;
const FIRST = 6; // rows before "show all"
const SPAN = 3;

export class DimensionsView {
  /** @param {import("./explorer_space.js").Space} space */
  constructor(space) {
    Object.assign(this, { space, all: false, rows: new Map() });
    this.#build();
    space.on("space", () => { this.all = false; this.#forget(); });
    this.facts = freshness(space, () => this.#askFacts());
    this.strips = freshness(space, () => this.#askStrips(), { live: true, base: true });
    space.on("point", () => this.#setSliders());
  }

  shown(on) {
    this.facts.shown(on);
    this.strips.shown(on);
  }

  #build() {
    this.summary = h("p", { class: "x-fact" });
    this.failure = errorLine();
    this.kind = choice({
      label: t("explorer.plane"), value: "pca", options: [["pca", t("explorer.plane_pca")], ["axes", t("explorer.plane_axes")]],
      onchange: () => this.#choosePlane(),
    });
    this.axes = ["x", "y"].map((key) => picker({ label: t(`explorer.plane_${key}`), options: [], value: 0, onchange: () => this.#choosePlane("axes") }));
    this.plane = h("div", { class: "x-line", hidden: true }, h("span", { class: "x-sub" }, t("explorer.plane")), this.kind.element, this.axes.map((a) => a.element));
    this.table = h("div", { class: "x-dimensions" });
    this.more = button({ text: "…", kind: "small", hidden: true, onclick: () => { this.all = !this.all; this.#rebuild(); } });
    const reset = button({ text: t("explorer.to_origin"), onclick: () => this.space.moveTo({ z: new Array(this.space.dim).fill(0) }, "slider") });
    this.element = h("div", { class: "x-stack" },
      this.summary, h("div", { class: "x-line" }, this.plane, reset),
      this.failure.element, this.table, this.more);
  }

  #forget() {
    this.rows = new Map();
    this.built = this.order = null;
    this.table.replaceChildren();
    this.more.hidden = true;
    this.plane.hidden = this.space.dim <= 2;
    this.#planeOptions();
  }

  // ---- which plane --------------------------------------------------------------------------------

  #planeOptions() {
    const options = Array.from({ length: this.space.dim }, (_, i) => [i, subscript(`z${i + 1}`)]);
    const [i, j] = this.space.choice?.axes ?? [0, 1];
    this.axes.forEach((axis, k) => axis.set(options, [i, j][k]));
    const pca = !this.space.choice?.axes;
    this.kind.set(pca ? "pca" : "axes");
    this.axes.forEach((axis) => { axis.element.hidden = pca; });
  }

  #choosePlane(kind) {
    const chosen = kind ?? (this.space.choice?.axes ? "pca" : "axes");
    let [i, j] = this.axes.map((axis) => Number(axis.input.value));
    if (chosen === "axes" && !kind && this.order) [i, j] = this.order;
    if (i === j) j = (i + 1) % this.space.dim;
    emit("tried", { what: "plane", kind: chosen });
    this.space.choosePlane(chosen === "pca" ? { pca: true } : { axes: [i, j] });
  }

  // ---- what each carries --------------------------------------------------------------------------

  async #askFacts() {
    try {
      const answer = await this.space.ask("dimensions", {}, "dimensions");
      if (!answer) return;
      this.failure.clear();
      const { bars } = answer.items;
      const { active_units: active, latent_dim: dim, variance } = answer.values;
      this.bars = bars;
      this.span = Math.max(SPAN, Math.ceil(2.5 * Math.sqrt(Math.max(...variance))));
      this.order = bars.values.map((_, i) => i).sort((a, b) => bars.values[b] - bars.values[a]);
      const total = bars.values.reduce((sum, v) => sum + v, 0);
      setText(this.summary, t(bars.unit === "nats" ? "explorer.active_kl" : "explorer.active_variance", { active, dim, total: shown(total) }));
      this.#rebuild();
    } catch (error) {
      this.failure.show(error);
    }
  }

  #rebuild() {
    if (!this.order) return;
    const list = this.all ? this.order : this.order.slice(0, FIRST);
    const key = `${this.space.generation} ${list} ${this.span}`;
    if (key !== this.built) {
      this.built = key;
      this.rows = new Map(list.map((dim) => [dim, this.#row(dim)]));
      this.table.replaceChildren(...[...this.rows.values()].map((row) => row.element));
      this.strips.touch();
    }
    this.#setBars();
    this.#setSliders();
    this.more.hidden = this.space.dim <= FIRST;
    setText(this.more.firstChild, t(this.all ? "explorer.show_fewer" : "explorer.show_all", { count: this.space.dim }));
  }

  #row(dim) {
    const name = subscript(`z${dim + 1}`);
    const fill = h("i", {});
    const value = h("span", { class: "play-number" });
    const control = slider({
      label: name, hideLabel: true, min: -this.span, max: this.span, step: this.span / 60, value: 0, format: (v) => (this.span < 100 ? v.toFixed(2).replace("-", "−") : shown(v)),
      oninput: (v) => this.#slide(dim, v),
    });
    const strip = new TileRow({
      label: t("explorer.traversal", { name }), most: 56, gap: 2,
      onpick: (k) => this.#slide(dim, -this.span + (2 * this.span * k) / (FRAMES - 1)),
    });
    strip.onpaint = (width) => { control.input.style.width = `${width}px`; };
    const element = h("div", { class: "x-dimension" },
      h("b", {}, name), h("div", { class: "x-bar" }, h("div", {}, fill), value), h("div", { class: "x-traverse" }, strip.element, control.element));
    return { element, fill, value, control, strip };
  }

  #setBars() {
    const most = Math.max(...this.bars.values, 1e-9);
    for (const [dim, { fill, value }] of this.rows) {
      fill.style.width = `${(100 * this.bars.values[dim]) / most}%`;
      setText(value, `${shown(this.bars.values[dim])}${this.bars.unit === "nats" ? " nats" : ""}`);
    }
  }

  #setSliders() {
    for (const [dim, { control }] of this.rows) {
      if (document.activeElement !== control.input && this.space.point?.z) control.set(this.space.point.z[dim] ?? 0);
    }
  }

  #slide(dim, value) {
    const z = [...this.space.point.z];
    z[dim] = value;
    this.space.moveTo({ z }, "slider");
    emit("tried", { what: "traverse", dimension: dim });
  }

  async #askStrips() {
    if (!this.rows.size || !this.space.point?.z) return;
    const dims = [...this.rows.keys()];
    try {
      const args = { z: this.space.point.z, dims, span: this.span, frames: FRAMES };
      const answer = await this.space.ask("traverse", args, "traverse");
      if (!answer) return;
      for (const dim of dims) {
        const sheet = answer.items[`z${dim + 1}`];
        if (sheet) this.rows.get(dim)?.strip.show(sheet, { label: t("explorer.traversal", { name: subscript(`z${dim + 1}`) }) });
      }
    } catch (error) {
      this.failure.show(error);
    }
  }
}
