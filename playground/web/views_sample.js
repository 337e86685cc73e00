// New pictures from nothing but chance: codes from N(0, I), and from a mixture fitted to the codes.

import { button, choice, errorLine, h, numberField, setText, slider } from "./explorer_dom.js";
import { freshness } from "./explorer_tabs.js";
import { TileRow } from "./views_tiles.js";
import { emit, state, t } from "./store.js";

const PRIORS = ["normal", "mixture"];
const COUNTS = [16, 36, 64, 100];
const MOST_SEED = 2 ** 31 - 1;

export class SampleView {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {{map: object}} parts
   */
  constructor(space, { map }) {
    Object.assign(this, { space, map, count: 36, seed: 0, components: 10, onMap: "normal", drawn: {} });
    this.#build();
    this.fresh = freshness(space, () => this.#ask());
    space.on("space", () => this.#explain());
  }

  #build() {
    const counts = choice({
      label: t("explorer.sample_count"), value: this.count, options: COUNTS.map((n) => [n, String(n)]),
      onchange: (n) => { this.count = n; this.#ask(); },
    });
    this.seedField = numberField({ label: t("explorer.seed"), value: 0, step: 1, min: 0, max: MOST_SEED, onchange: (v) => this.#reseed(v) });
    const again = button({ text: t("explorer.resample"), symbol: "dice", kind: "small primary", onclick: () => this.#reseed(this.seed + 1) });
    const parts = slider({
      label: t("explorer.components"), min: 1, max: 40, step: 1, value: this.components,
      oninput: (v) => { this.components = v; this.#ask(["mixture"]); },
    });
    this.places = choice({
      label: t("explorer.sample_places"), value: this.onMap, options: [...PRIORS, "none"].map((k) => [k, t(`explorer.places_${k}`)]),
      onchange: (which) => { this.onMap = which; this.#mark(); },
    });
    this.failure = errorLine();
    this.columns = Object.fromEntries(PRIORS.map((prior) => [prior, new TileRow({
      label: t(`explorer.prior_${prior}`), most: 56, gap: 2, onpick: (i, event) => this.#pick(prior, i, event),
    })]));
    this.note = h("p", { class: "x-fact" });
    this.element = h("div", { class: "x-stack" },
      h("div", { class: "x-line" }, again, counts.element, this.seedField.element, h("span", { class: "x-sub" }, t("explorer.sample_places")), this.places.element),
      this.failure.element, this.note,
      h("div", { class: "x-pair" }, PRIORS.map((prior) => h("figure", { class: `x-figure x-${prior}` },
        h("figcaption", {}, h("i", { class: "x-dot" }), h("b", {}, t(`explorer.prior_${prior}`)), prior === "mixture" ? parts.element : null),
        this.columns[prior].element))));
  }

  #explain() {
    setText(this.note, t(state.source && isPlain(this.space) ? "explorer.sample_ae" : "explorer.sample_vae"));
  }

  shown(on) {
    this.seen = on;
    this.#mark();
    this.fresh.shown(on);
    if (on) emit("tried", { what: "sample" });
  }

  #reseed(seed) {
    this.seed = Math.min(Math.max(Math.round(seed), 0), MOST_SEED);
    this.seedField.set(this.seed);
    emit("tried", { what: "sample" });
    this.#ask();
  }

  #ask(priors = PRIORS) {
    this.#explain();
    return Promise.all(priors.map((prior) => this.#askOne(prior)));
  }

  async #askOne(prior) {
    const count = this.count;
    try {
      const args = { prior, count, seed: this.seed, components: this.components, ...this.space.planeArgs() };
      const answer = await this.space.ask("sample", args, `sample-${prior}`);
      if (!answer) return;
      this.failure.clear();
      this.drawn[prior] = { us: answer.values.us, zs: answer.values.zs };
      const indices = Array.from({ length: count }, (_, i) => i);
      await this.columns[prior].show(answer.items.sheet, { indices, columns: Math.round(Math.sqrt(count)) });
      this.#mark();
    } catch (error) {
      this.failure.show(error);
    }
  }

  #mark() {
    const layer = { normal: "samples", mixture: "mixture" };
    for (const prior of PRIORS) {
      const us = this.drawn[prior]?.us;
      const on = this.seen && us && this.onMap === prior;
      this.map.overlay.set(layer[prior], on ? { kind: "dots", us: us.map(([x, y]) => [x, this.space.dim === 1 ? 0 : y]), radius: 4 } : null);
    }
  }

  #pick(prior, i, event) {
    const z = this.drawn[prior]?.zs?.[i];
    if (z) this.space.moveTo({ z }, "sample", event.timeStamp);
  }
}

/** Whether the model has no prior on its codes: a plain autoencoder. */
function isPlain(space) {
  return space.values.kl_per_dimension === null;
}
