// Several models side by side on the same picture, with the true partner and the numbers of each.

import { errorLine, h, press, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { number } from "./curves_format.js";
import { allPins } from "./compare_pins.js";
import { Figure, differenceOf, heatOf, heatScale, topOf } from "./crossing_figures.js";
import { freshness } from "./crossing_state.js";
import { scoreTable } from "./crossing_scores.js";
import { wayName } from "./crossing_terms.js";
import { decoded } from "./views_pictures.js";
import { emit, explore, on, state, t } from "./store.js";

const MOST = 8; // models that are asked
const LIVE_MS = 4000; // how often a run that trains is asked
const FIRST = ["cyclegan/emoji", "pix2pix/emoji", "pix2pix/emoji-l1"]; // those that stand there at first

export const buildBeside = (lab) => new BesideView(lab);

class BesideView {
  constructor(lab) {
    Object.assign(this, { lab, chosen: null, answers: new Map(), turn: 0, askedAt: -Infinity, misses: false });
    this.#build();
    lab.on("space", () => { this.answers.clear(); this.turn += 1; this.failure.clear(); this.#draw(); });
    lab.on("chosen", () => this.answers.clear());
    this.fresh = freshness(lab, () => this.#ask(), { live: true });
    for (const type of ["catalogue", "pin", "run"]) on(type, () => this.#models());
  }

  #build() {
    this.path = h("h4", { class: "x-sub" });
    this.difference = h("button", { type: "button", class: "play-button small", onclick: () => { this.misses = !this.misses; this.#draw(); } }, t("cyclegan.beside_difference"));
    this.scale = heatScale();
    this.chips = h("div", { class: "cy-chips", role: "group", "aria-label": t("cyclegan.beside_which") });
    this.failure = errorLine();
    this.given = h("div", { class: "cy-known" });
    this.cards = h("div", { class: "cy-models" });
    this.scores = scoreTable();
    this.element = h("div", { class: "x-stack cy-view" }, h("p", {}, t("cyclegan.beside_what")),
      h("div", { class: "x-line" }, this.path, h("i", { class: "cy-spacer" }), this.scale.element, this.difference),
      this.chips, this.failure.element, h("div", { class: "cy-beside" }, this.given, this.cards), this.scores.element);
  }

  shown(seen) {
    this.seen = seen;
    if (seen) this.#models();
    this.fresh.shown(seen);
    if (seen) emit("tried", { what: "beside" });
  }

  // ---- which models -----------------------------------------------------------------------------------

  /** All that can stand here: {key, source, title, about}, the explored one first. */
  #all() {
    const { source, run, catalogue } = state;
    const side = this.lab.side;
    const data = new Map(catalogue.datasets.map((d) => [d.key, d]));
    const fits = (c) => c.dataset === this.lab.dataset || (side && data.get(c.dataset)?.shape?.at(-1) === side && c.dataset === "emoji_pairs");
    const saved = catalogue.checkpoints.filter(fits).map((c) => ({ key: c.name, source: { checkpoint: c.name }, title: c.title || c.name, about: c }));
    const runs = [
      ...(run ? [{ key: run.id, source: { run: run.id }, title: run.title || t("cyclegan.this_run"), about: run }] : []),
      ...allPins().filter((p) => p.id !== run?.id).map((p) => ({ key: p.id, source: { run: p.id }, title: p.name, about: p })),
    ].filter(({ about }) => about.dataset === this.lab.dataset);
    const all = [...runs, ...saved];
    const first = all.findIndex((m) => m.key === (source?.checkpoint ?? source?.run));
    if (first > 0) all.unshift(...all.splice(first, 1));
    return all;
  }

  #models() {
    if (!this.seen) return;
    const all = this.#all();
    const known = JSON.stringify(all.map((m) => [m.key, m.title]));
    if (known === this.known) return;
    this.known = known;
    this.all = all;
    const usual = (m, i) => i === 0 || FIRST.includes(m.key) || m.source.run;
    const kept = this.chosen ? (m, i) => this.chosen.has(m.key) || i === 0 || (m.source.run && !this.offered.has(m.key)) : usual;
    this.chosen = new Set(all.filter(kept).slice(0, MOST).map((m) => m.key));
    this.offered = new Set(all.map((m) => m.key));
    this.#drawChips();
    this.fresh.touch();
  }

  #toggle(key) {
    if (this.chosen.has(key)) this.chosen.delete(key);
    else if (this.chosen.size < MOST) this.chosen.add(key);
    this.#drawChips();
    this.#ask();
  }

  #drawChips() {
    fill(this.chips, this.all.map(({ key, title, about }) => {
      const chip = h("button", { type: "button", class: "cy-chip", onclick: () => this.#toggle(key), title: key }, title, h("small", {}, kindOf(about)));
      press(chip, this.chosen.has(key));
      return chip;
    }));
  }

  // ---- asking -----------------------------------------------------------------------------------------

  /** Ask one model after the other for the same picture; an older round is given up. */
  async #ask() {
    const { lab } = this;
    const complete = this.#shown().every((model) => this.answers.has(model.key));
    if (lab.live && complete && performance.now() - this.askedAt < LIVE_MS) return;
    this.askedAt = performance.now();
    const turn = (this.turn += 1);
    this.#draw();
    const args = { ...lab.args(), detail: false };
    for (const model of this.#shown()) {
      const now = model.source.run && model.source.run === state.source?.run;
      if (this.answers.has(model.key) && !now) continue;
      try {
        const answer = await explore("translate", args, { source: model.source });
        if (turn !== this.turn) return;
        const [output, truth, input] = await Promise.all(["output", "truth", "input"].map((n) => (answer.items[n] ? decoded(answer.items[n]) : null)));
        this.answers.set(model.key, { output, truth, input, values: answer.values });
      } catch (error) {
        if (turn !== this.turn) return;
        this.answers.set(model.key, { error });
      }
      this.#draw();
    }
  }

  #shown() {
    return (this.all ?? []).filter((m) => this.chosen?.has(m.key));
  }

  // ---- drawing -------------------------------------------------------------------------------------------

  #draw() {
    if (!this.seen) return;
    const { lab } = this;
    setText(this.path, wayName(lab.direction, lab.domains));
    press(this.difference, this.misses);
    const found = this.#shown().map((model) => ({ model, ...this.answers.get(model.key) }));
    const { truth, input } = found.find((f) => f.output) ?? {};
    const measured = found.map((f) => ({ ...f, missed: f.output && truth ? differenceOf(f.output, truth) : null }));
    const best = Math.min(...measured.map((f) => f.missed?.mean ?? Infinity));
    const worst = Math.max(...measured.map((f) => f.missed?.mean ?? 0), 1e-6);
    this.difference.hidden = !truth;
    this.scale.element.hidden = !truth || !this.misses;
    const top = topOf(measured.map((f) => f.missed).filter(Boolean));
    this.scale.set(top);
    fill(this.given, this.#plain(input, t("cyclegan.given", { domain: lab.names().from })),
      truth ? this.#plain(truth, t("cyclegan.true_partner"), t("cyclegan.true_note")) : null);
    fill(this.cards, measured.map((f) => this.#card(f, { best, worst, truth, top })));
    this.scores.set(this.#shown(), lab);
  }

  #plain(picture, name, note = "") {
    const figure = new Figure({ label: name });
    if (picture) figure.draw(picture);
    return h("div", { class: "cy-model plain" }, figure.element, h("b", {}, name), h("span", { class: "play-note" }, note));
  }

  #card({ model, output, missed, error }, { best, worst, truth, top }) {
    const figure = new Figure({ label: t("cyclegan.made_by", { name: model.title }) });
    if (output) figure.draw(this.misses && missed ? heatOf(missed, top) : output);
    const bar = missed ? h("i", { class: "cy-meter" }, h("b", { style: { width: `${(100 * missed.mean) / worst}%` } })) : null;
    const closest = missed && missed.mean === best;
    return h("div", { class: `cy-model${closest ? " best" : ""}`, dataset: { key: model.key } }, figure.element, h("b", { title: model.key }, model.title),
      h("span", { class: "play-note" }, pairsOf(model.about)),
      truth && missed ? h("div", { class: "cy-miss" }, bar, h("span", { class: "play-number" }, number(missed.mean, 2))) : null,
      closest ? h("span", { class: "cy-tag" }, t("cyclegan.closest")) : null,
      error ? h("span", { class: "play-error" }, error.sentence ?? error.message) : null);
  }
}

function kindOf({ model }) {
  return t(`cyclegan.model.${model}`);
}

/** Whether a model has seen which pictures belong together. */
export function pairsOf({ model, config }) {
  if (model === "cyclegan") return t("cyclegan.saw_none");
  return t(config?.lambda_validity === 0 ? "cyclegan.saw_pairs_l1" : "cyclegan.saw_pairs");
}
