// The image pools: earlier translations that the discriminators are shown again.

import { errorLine, h, setText } from "./explorer_dom.js";
import { freshness } from "./crossing_state.js";
import { TileRow } from "./views_tiles.js";
import { term } from "./help_terms.js";
import { t } from "./store.js";

const COLUMNS = 10;
const LIVE_MS = 4000; // how often a run that trains is asked for its pools

export const buildPool = (lab) => new PoolView(lab);

class PoolView {
  constructor(lab) {
    this.lab = lab;
    this.askedAt = -Infinity;
    this.#build();
    this.fresh = freshness(lab, () => this.#ask(), { live: true, chosen: false });
    lab.on("space", () => this.#space());
  }

  #build() {
    this.sides = Object.fromEntries(["b", "a"].map((domain) => [domain, new Side(domain)]));
    this.said = h("p", { class: "play-note" });
    this.failure = errorLine();
    this.body = h("div", { class: "cy-halves" }, Object.values(this.sides).map((side) => side.element));
    this.element = h("div", { class: "x-stack cy-view" },
      h("p", {}, term("image_pool", t("cyclegan.pool")), " ", t("cyclegan.pool_what")), this.said, this.failure.element, this.body);
    this.body.hidden = true;
  }

  #space() {
    this.askedAt = -Infinity;
    this.failure.clear();
    this.body.hidden = true;
    setText(this.said, "");
  }

  shown(seen) {
    this.fresh.shown(seen);
  }

  async #ask() {
    const { lab } = this;
    if (this.asking || (lab.live && performance.now() - this.askedAt < LIVE_MS)) return;
    Object.assign(this, { asking: true, askedAt: performance.now() });
    try {
      const answer = await lab.ask("pool", {});
      if (answer) this.#show(answer);
      this.failure.clear();
    } catch (error) {
      this.failure.show(error);
    } finally {
      this.asking = false;
    }
  }

  #show({ items, values }) {
    this.body.hidden = !items.a && !items.b;
    setText(this.said, this.body.hidden ? values.note ?? t("cyclegan.pool_empty") : "");
    for (const [domain, side] of Object.entries(this.sides)) side.show(items[domain], values, this.lab.domains);
  }
}

/** The pool of one domain. */
class Side {
  constructor(domain) {
    this.domain = domain;
    this.title = h("h4", { class: "x-sub" });
    this.count = h("span", { class: "play-note play-number" });
    this.row = new TileRow({ label: t("cyclegan.pool"), most: 64, gap: 2 });
    this.element = h("section", { class: "cy-pool", dataset: { domain } }, h("div", { class: "cy-spread" }, this.title, this.count), this.row.element);
  }

  show(sheet, { size, filled }, domains) {
    const name = domains[this.domain === "a" ? 0 : 1];
    const count = filled?.[this.domain] ?? 0;
    setText(this.title, t("cyclegan.pool_of", { domain: name, network: this.domain === "a" ? "F" : "G" }));
    setText(this.count, t("cyclegan.pool_filled", { n: count, size: size ?? count }));
    this.row.element.hidden = !sheet;
    if (!sheet) return;
    const indices = Array.from({ length: Math.min(count || sheet.rows * sheet.columns, sheet.rows * sheet.columns) }, (_, i) => i);
    this.row.show(sheet, { indices, columns: COLUMNS, label: t("cyclegan.pool_alt", { domain: name, n: count }) });
  }
}
