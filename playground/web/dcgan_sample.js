// One sample, large: what D and the classifier make of it, and the training pictures nearest to it.

import { button, errorLine, h, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { shown } from "./decode.js";
import { PictureView, decoded } from "./views_pictures.js";
import { TileRow } from "./views_tiles.js";
import { term } from "./help_terms.js";
import { t } from "./store.js";

const SIZE = 168;
const LIKELY = 3; // classes that are named

export class SampleCard {
  /**
   * @param {import("./dcgan_sampler.js").Sampler} sampler
   * @param {{grid: import("./dcgan_grid.js").SampleGrid, like: () => void, addStop: (sample: object) => void}} parts
   */
  constructor(sampler, { grid, like, addStop }) {
    Object.assign(this, { sampler, grid });
    this.#build({ like, addStop });
    sampler.on("space", () => this.#space());
    sampler.on("chosen", () => this.#chosen());
    sampler.on("drawn", () => this.#chosen());
    sampler.on("sample", (answer) => this.#show(answer));
    sampler.on("past", () => this.#past());
  }

  #build({ like, addStop }) {
    this.name = h("h3", { class: "play-title" }, t("dcgan.this_sample"));
    const back = button({ symbol: "next", label: t("dcgan.previous"), kind: "small quiet dc-flip", onclick: () => this.grid.step(-1) });
    const on = button({ symbol: "next", label: t("dcgan.next"), kind: "small quiet", onclick: () => this.grid.step(1) });
    this.view = new PictureView({ size: SIZE, label: t("dcgan.this_sample") });
    this.like = button({ text: t("dcgan.like"), kind: "small", onclick: like });
    this.add = button({ text: t("dcgan.add_stop"), symbol: "plus", kind: "small", onclick: () => { const s = this.current(); if (s) addStop(s); } });
    this.score = new ScoreLine();
    this.classes = h("div", { class: "dc-likely" });
    this.nearest = new TileRow({ label: t("dcgan.nearest"), most: 56, gap: 3 });
    this.verdict = h("p", { class: "play-note" });
    this.note = h("p", { class: "play-note" });
    this.failure = errorLine();
    this.facts = h("div", { class: "x-stack dc-facts" }, this.score.element, this.classes,
      h("div", { class: "dc-nearest" }, h("h4", { class: "x-sub" }, term("nearest_training", t("dcgan.nearest"))), this.nearest.element, this.verdict));
    this.element = h("section", { class: "play-card dc-sample", "aria-label": t("dcgan.this_sample") },
      h("div", { class: "x-head" }, this.name, h("div", { class: "x-tools" }, back, on)),
      h("div", { class: "dc-sample-body" },
        h("div", { class: "dc-portrait" }, this.view.element, h("div", { class: "x-line" }, this.like, this.add)),
        h("div", { class: "dc-told" }, this.note, this.failure.element, this.facts)));
  }

  #space() {
    this.view.reshape(this.sampler.shape);
    this.failure.clear();
    this.facts.classList.add("dc-faded"); // they are of another generator until its answer comes
  }

  /** The chosen sample as other panels take it; null before its noise is known. */
  current() {
    const { sampler } = this;
    const z = sampler.noise();
    if (!z || sampler.past) return null;
    const picture = document.createElement("canvas");
    const { element } = this.view;
    Object.assign(picture, { width: element.width, height: element.height });
    picture.getContext("2d").drawImage(element, 0, 0);
    return { z, label: sampler.classOf(), picture, name: this.#name() };
  }

  #name() {
    const { chosen } = this.sampler;
    return "index" in chosen ? t("dcgan.sample_name", { n: chosen.index + 1 }) : t("dcgan.sample_elsewhere");
  }

  /** Show at once what the grid has; the rest follows with the server's answer. */
  #chosen() {
    const { chosen } = this.sampler;
    setText(this.name, this.#name());
    const tile = "index" in chosen ? this.grid.picture(chosen.index) : null;
    if (tile) this.view.draw(tile, t("dcgan.sample_alt", { name: this.#name() }));
  }

  #past() {
    const { past } = this.sampler;
    setText(this.note, past ? t("dcgan.past_note", { step: past.step.toLocaleString("en") }) : "");
    this.facts.classList.toggle("dc-faded", Boolean(past));
    for (const b of [this.like, this.add]) b.disabled = Boolean(past);
  }

  async #show({ items, values, error }) {
    if (error) return this.failure.show(error);
    this.failure.clear();
    this.facts.classList.toggle("dc-faded", Boolean(this.sampler.past));
    this.#drawPicture(items.picture);
    this.score.set(values.score);
    this.#likely(values);
    if (!items.nearest) return;
    await this.nearest.show(items.nearest, { label: t("dcgan.nearest") });
    setText(this.verdict, t("dcgan.verdict", { distance: shown(values.distances[0], 2) }));
  }

  async #drawPicture(payload) {
    const { sampler } = this;
    if ("index" in sampler.chosen && sampler.live) return; // the grid's own picture is newer
    const image = await decoded(payload);
    if (!sampler.past) this.view.draw(image, t("dcgan.sample_alt", { name: this.#name() }));
  }

  #likely({ class_probabilities: likely, class_names: names, label }) {
    this.classes.hidden = !likely;
    if (!likely) return;
    const order = likely.map((p, i) => [p, i]).sort((a, b) => b[0] - a[0]).slice(0, LIKELY);
    fill(this.classes, h("h4", { class: "x-sub" }, term("classifier", t("dcgan.looks_like"))),
      order.map(([p, i]) => h("div", { class: `dc-meter${i === label ? " asked" : ""}` },
        h("span", {}, names[i] ?? String(i)), bar(p), h("span", { class: "play-number" }, `${Math.round(100 * p)} %`))));
  }
}

function bar(share) {
  return h("i", { class: "dc-bar" }, h("b", { style: { width: `${100 * share}%` } }));
}

/** Where D places a picture between "generated" and "real". */
class ScoreLine {
  constructor() {
    this.mark = h("b", { class: "dc-score-mark" });
    this.said = h("span", { class: "play-number" });
    this.element = h("div", { class: "dc-score" },
      h("div", { class: "dc-score-head" }, h("h4", { class: "x-sub" }, term("opinion", t("dcgan.score"))), this.said),
      h("i", { class: "dc-score-line" }, this.mark),
      h("div", { class: "dc-score-ends" }, h("span", {}, t("dcgan.generated")), h("span", {}, t("dcgan.real"))));
  }

  set(score) {
    const known = Number.isFinite(score);
    this.mark.hidden = !known;
    if (known) this.mark.style.left = `${100 * Math.min(Math.max(score, 0), 1)}%`;
    setText(this.said, known ? t(score > 0.5 ? "dcgan.score_real" : "dcgan.score_fake", { score: score.toFixed(2) }) : "–");
  }
}

