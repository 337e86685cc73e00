// Held-out pictures a page at a time: each with its translation and its true partner.

import { button, errorLine, h, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { number } from "./curves_format.js";
import { cut } from "./dcgan_tiles.js";
import { freshness } from "./crossing_state.js";
import { wayName } from "./crossing_terms.js";
import { decoded } from "./views_pictures.js";
import { emit, t } from "./store.js";

const COUNT = 12;
/** Columns of the sheet for each direction: given, made, and the true partner, or the way back. */
const COLUMNS = { a2b: [0, 1, 2], b2a: [3, 4, 5] };

export const buildPairs = (lab) => new PairsView(lab);

class PairsView {
  constructor(lab) {
    Object.assign(this, { lab, start: 0, answer: null });
    this.#build();
    this.fresh = freshness(lab, () => this.#ask(), { chosen: false });
    lab.on("space", () => { this.answer = null; this.start = 0; this.failure.clear(); });
    lab.on("chosen", () => this.#draw());
  }

  #build() {
    this.back = button({ symbol: "next", label: t("cyclegan.pairs_back"), kind: "small cy-flip", onclick: () => this.#turn(-COUNT) });
    this.on = button({ symbol: "next", label: t("cyclegan.pairs_on"), kind: "small", onclick: () => this.#turn(COUNT) });
    this.place = h("span", { class: "play-number" });
    this.title = h("h4", { class: "x-sub" });
    this.failure = errorLine();
    this.list = h("div", { class: "cy-pairs" });
    this.note = h("p", { class: "play-note" });
    this.element = h("div", { class: "x-stack cy-view" },
      h("div", { class: "x-line" }, this.title, h("i", { class: "cy-spacer" }), this.back, this.place, this.on),
      this.failure.element, this.list, this.note);
  }

  shown(seen) {
    this.fresh.shown(seen);
  }

  #turn(by) {
    const total = this.answer?.values.total ?? 0;
    const next = this.start + by;
    this.start = next < 0 ? Math.floor((total - 1) / COUNT) * COUNT : next >= total ? 0 : next;
    this.#ask();
    emit("tried", { what: "pairs" });
  }

  async #ask() {
    try {
      const answer = await this.lab.ask("pairs", { start: this.start, count: COUNT }, "pairs");
      if (!answer) return;
      this.answer = answer;
      this.failure.clear();
      this.#draw();
    } catch (error) {
      this.failure.show(error);
    }
  }

  async #draw() {
    const { answer, lab } = this;
    if (!answer) return;
    const { items: { sheet }, values } = answer;
    const image = await decoded(sheet);
    const { indices } = values;
    const paired = values.paired !== false;
    setText(this.title, wayName(lab.direction, lab.domains));
    setText(this.place, t("cyclegan.pairs_place", { from: indices[0] + 1, to: indices.at(-1) + 1, total: values.total }));
    const distances = values.l1?.[lab.direction] ?? [];
    fill(this.list, indices.map((index, i) => this.#card(image, sheet, { index, row: i, distance: distances[i], paired })));
    const mean = distances.length ? distances.reduce((a, b) => a + b, 0) / distances.length : null;
    setText(this.note, t(paired ? "cyclegan.pairs_note" : "cyclegan.pairs_unpaired", { mean: number(mean, 2) }));
  }

  #card(image, sheet, { index, row, distance, paired }) {
    const chosen = this.lab.chosen.index === index && this.lab.chosen.split === "test";
    const label = t(paired ? "cyclegan.pair_label" : "cyclegan.pair_label_unpaired", { n: index + 1, distance: number(distance, 2) });
    const tiles = COLUMNS[this.lab.direction].map((column) => cut(image, sheet, row * sheet.columns + column, h("canvas")));
    return h("button", {
      type: "button", class: "cy-pair", "aria-pressed": String(chosen), "aria-label": label, title: t("cyclegan.pair_choose"),
      onclick: () => { this.lab.choose({ index, split: "test" }, "example"); emit("tried", { what: "pairs" }); },
    }, h("span", { class: "cy-pair-tiles" }, tiles),
    h("span", { class: "cy-pair-foot" }, h("span", { class: "play-number" }, paired ? number(distance, 2) : ""),
      h("span", {}, t("cyclegan.pair_made")), h("span", {}, t(paired ? "cyclegan.pair_true" : "cyclegan.pair_back"))));
  }
}
