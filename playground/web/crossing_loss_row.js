// One loss: its name, its weight, and for each direction its pictures, its formula and its value.

import { h, setText, slider } from "./explorer_dom.js";
import { number } from "./curves_format.js";
import { shown } from "./decode.js";
import { Figure, differenceOf, heatOf } from "./crossing_figures.js";
import { WAYS, lossFormula, wayName } from "./crossing_terms.js";
import { term } from "./help_terms.js";
import { t } from "./store.js";

/** What stands beside each loss: rows of the sheet, the last of them against the first or `against`. */
const PICTURES = {
  validity: { a2b: ["a", "a2b"], b2a: ["b", "b2a"] },
  cycle: { a2b: ["a", "a2b", "a_back"], b2a: ["b", "b2a", "b_back"] },
  identity: { a2b: ["b", "same_b"], b2a: ["a", "same_a"] },
  l1: { a2b: ["a", "a2b", "b"], b2a: ["b", "b2a", "a"] },
};
const CAPTIONS = { a: "a", b: "b", a2b: "G(a)", b2a: "F(b)", a_back: "F(G(a))", b_back: "G(F(b))", same_b: "G(b)", same_a: "F(a)" };
const COMPARED = { cycle: [0, 2], identity: [0, 1], l1: [1, 2] };

const SLIDERS = {
  lambda_validity: { max: 4, step: 0.1 }, lambda_cycle: { max: 30, step: 0.5 },
  lambda_identity: { max: 2, step: 0.1 }, lambda_l1: { max: 200, step: 1 },
};

export class LossRow {
  /**
   * @param {{loss: string, field: string, kind: string, model: string, domains: string[], weigh: (value: number) => void}} spec
   *   `field`: the hyperparameter that weighs it; `kind`: the validity loss
   */
  constructor({ loss, field, kind, model, domains, weigh }) {
    Object.assign(this, { loss, field });
    this.config = {};
    this.weighs = slider({
      label: t("cyclegan.weight"), min: 0, ...SLIDERS[field], value: 0, format: (v) => this.#weightText(v),
      oninput: weigh,
    });
    this.ways = Object.fromEntries(WAYS.map((way) => [way, this.#way(way, { kind, model, domains })]));
    this.element = h("section", { class: "cy-loss", dataset: { loss } },
      h("div", { class: "cy-loss-head" }, h("i", { class: "cy-dot" }), h("h4", {}, term(loss, t(`cyclegan.loss.${loss}`))),
        h("span", { class: "play-note" }, t(`cyclegan.asks.${loss}`)), this.weighs.element),
      h("div", { class: "cy-ways" }, WAYS.map((way) => this.ways[way].element)));
  }

  #way(way, { kind, model, domains }) {
    const { loss } = this;
    const rows = PICTURES[loss][way];
    const figures = rows.map((name, i) => new Figure({
      caption: loss === "l1" && i === 2 ? t("cyclegan.true_partner") : CAPTIONS[name], label: t(`cyclegan.row.${name}`),
    }));
    const compared = COMPARED[loss];
    const heat = compared ? new Figure({ caption: t("cyclegan.difference"), label: t("cyclegan.difference"), kind: "heat" }) : null;
    const value = h("b", { class: "play-number" });
    const beside = h("span", { class: "play-note" });
    const element = h("div", { class: "cy-way", dataset: { way } },
      h("div", { class: "cy-way-head" }, h("span", { class: "cy-way-name" }, wayName(way, domains)), value),
      h("div", { class: "cy-strip" }, figures.map((f) => f.element), heat?.element),
      h("div", { class: "cy-way-foot" }, lossFormula(loss, way, { kind, model }), beside));
    return { rows, figures, heat, compared, value, beside, element };
  }

  /** Draw the pictures of one column of the sheet; returns what the two that are compared differ by. */
  draw(tiles) {
    for (const way of Object.values(this.ways)) {
      const pictures = way.rows.map((name) => tiles[name]);
      way.figures.forEach((figure, i) => { if (pictures[i]) figure.draw(pictures[i]); });
      const [from, to] = way.compared ?? [];
      way.difference = pictures[from] && pictures[to] ? differenceOf(pictures[from], pictures[to]) : null;
    }
    return Object.values(this.ways).map((way) => way.difference).filter(Boolean);
  }

  /** Draw the heat maps, all on one scale. */
  heat(top) {
    for (const { heat, difference } of Object.values(this.ways)) if (difference) heat.draw(heatOf(difference, top));
  }

  /** Lay D's map of patches over the translation. */
  lay(way, image) {
    this.ways[way].figures[1].lay(image);
  }

  /** Values in training and on held-out pictures; of the saved model only the latter is known. */
  numbers(way, { train, test, patches }) {
    const { value, beside } = this.ways[way];
    setText(value, train == null && test == null ? "" : number(train ?? test));
    const told = [];
    if (train != null && test != null) told.push(t("cyclegan.held_out", { value: number(test) }));
    else if (test != null) told.push(t("cyclegan.on_held_out"));
    if (patches?.patch_mean != null) told.push(t("cyclegan.patches_real", { share: Math.round(100 * patches.patch_mean) }));
    setText(beside, told.join(" · "));
  }

  /** Show the weight: `effective` is by how much the loss counts in the sum. */
  weight(value, effective, config) {
    this.config = config;
    if (value === undefined) return;
    if (document.activeElement !== this.weighs.input) this.weighs.set(value);
    this.element.classList.toggle("off", effective === 0);
  }

  #weightText(value) {
    if (this.field !== "lambda_identity") return shown(value);
    return t("cyclegan.weight_identity", { share: shown(value), cycle: shown(this.config.lambda_cycle ?? 10) });
  }
}
