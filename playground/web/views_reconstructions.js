// Test images, what the model makes of them, and what it gets wrong.

import { button, choice, errorLine, h } from "./explorer_dom.js";
import { freshness } from "./explorer_tabs.js";
import { TileRow } from "./views_tiles.js";
import { emit, t } from "./store.js";

const COUNT = 10;
const ROWS = ["original", "reconstruction", "error"];

export class ReconstructionsView {
  /** @param {import("./explorer_space.js").Space} space */
  constructor(space) {
    Object.assign(this, { space, worst: false, seed: 0 });
    this.#build();
    this.fresh = freshness(space, () => this.#ask());
    this.shown = (on) => { this.seen = on; this.fresh.shown(on); };
  }

  #build() {
    this.rows = ROWS.map((key) => new TileRow({ label: t(`explorer.row_${key}`), most: 56 }));
    this.failure = errorLine();
    this.which = choice({
      label: t("explorer.reconstructions_which"), value: false, options: [[false, t("explorer.some")], [true, t("explorer.worst")]],
      onchange: (worst) => { this.worst = worst; this.#ask(); if (worst) emit("tried", { what: "worst" }); },
    });
    const next = button({ text: t("explorer.next_ten"), symbol: "dice", onclick: () => this.#next() });
    this.element = h("div", { class: "x-stack" }, h("div", { class: "x-line" }, this.which.element, next), this.failure.element,
      h("div", { class: "x-table" }, ROWS.flatMap((key, i) => [h("span", { class: "x-rowname" }, t(`explorer.row_${key}`)), this.rows[i].element])),
      h("p", { class: "play-note" }, t("explorer.reconstructions_note")));
  }

  #next() {
    this.worst = false;
    this.which.set(false);
    this.seed += 1;
    this.#ask();
    emit("tried", { what: "reconstructions" });
  }

  async #ask() {
    try {
      const answer = await this.space.ask("reconstructions", { count: COUNT, worst: this.worst, seed: this.seed }, "reconstructions");
      if (!answer) return;
      this.failure.clear();
      this.#show(answer.items);
    } catch (error) {
      this.failure.show(error);
    }
  }

  /** Reconstructions that a live run drew: its usual ten, unless other ones were asked for. */
  takeLive(views) {
    if (this.seen && !this.worst && !this.space.past) this.#show(views.items);
  }

  #show(items) {
    ROWS.forEach((key, i) => this.rows[i].show(items[key], { label: t(`explorer.row_${key}`) }));
  }
}
