// Models side by side on one beginning and one seed: how well each predicts the held-out text, and
// what it writes. They share their luck: the same draw at every place.

import { button, errorLine, h, paced, press, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { readArrays } from "./decode.js";
import { number } from "./curves_format.js";
import { allPins } from "./compare_pins.js";
import { metric } from "./curves_history.js";
import { nats as natsOf } from "./tab_text_charts.js";
import { shade } from "./text_odds.js";
import { visible } from "./text_words.js";
import { emit, explore, on, state, t } from "./store.js";

const MOST = 10; // models that write
const CHARACTERS = 200;
const CHUNK = 48; // tokens a request
const LIVE_MS = 6000; // how often a run that trains writes anew
const NUMBERS_MS = 500; // how often its numbers are
const ORDERS = ["uniform", "1", "2", "3", "4", "5", "6"];
const FIRST_ORDERS = ["uniform", "2", "5"]; // that stand there at first
const NATS = "nats_per_character";

export const buildBeside = (lab) => new BesidePanel(lab);

class BesidePanel {
  constructor(lab) {
    Object.assign(this, { lab, answers: new Map(), lines: {}, chosen: null, turn: 0, askedAt: -Infinity });
    this.#build();
    lab.on("space", () => { this.lines = {}; this.answers.clear(); this.#touch(); });
    lab.on("text", () => this.#touch());
    lab.on("knobs", () => this.#touch());
    lab.on("status", () => this.#touch());
    lab.on("weights", () => this.#moved());
    const soon = paced(() => this.#models(), NUMBERS_MS);
    for (const type of ["catalogue", "pin", "run"]) on(type, soon);
  }

  #build() {
    this.given = h("code", { class: "tx-given" });
    this.again = button({ text: t("text.beside_again"), symbol: "dice", label: t("text.roll"), onclick: () => this.lab.turn("seed", this.lab.knobs.seed + 1) });
    this.chips = h("div", { class: "tx-chips", role: "group", "aria-label": t("text.beside_which") });
    this.failure = errorLine();
    this.counting = h("p", { class: "play-note", role: "status" });
    this.rows = h("ol", { class: "tx-models" });
    this.element = h("div", { class: "x-stack" }, h("p", {}, t("text.beside_what")),
      h("div", { class: "x-line" }, h("span", { class: "play-note" }, t("text.beside_from")), this.given, this.again),
      this.chips, this.failure.element, this.rows, this.counting, h("p", { class: "play-note" }, t("text.beside_note")));
  }

  shown(seen) {
    this.seen = seen;
    if (!seen) return;
    this.#models();
    this.#touch();
    emit("tried", { what: "beside" });
  }

  // ---- which models -----------------------------------------------------------------------------------

  /** All that can stand here: {key, title, kind, source or order, nats}. */
  #all() {
    const { run, catalogue } = state;
    const fits = ({ dataset }) => dataset === this.lab.dataset;
    const runs = [
      ...(run ? [{ key: run.id, source: { run: run.id }, title: run.title || t("text.this_run"), about: run, nats: metric("test", NATS) }] : []),
      ...allPins().filter((p) => p.id !== run?.id).map((p) => ({ key: p.id, source: { run: p.id }, title: p.name, about: p, nats: lastOf(p.curves) })),
    ].filter(({ about }) => fits(about));
    const saved = catalogue.checkpoints.filter(fits).map((c) => ({
      key: c.name, source: { checkpoint: c.name }, title: c.title || c.name, about: c, nats: natsOf(c.metrics),
    }));
    const nets = [...runs, ...saved].map((m) => ({ ...m, kind: t(`text.kind_${m.about.model}`) }));
    const grams = ORDERS.filter((order) => Number.isFinite(this.lines[order])).map((order) => ({
      key: `order-${order}`, order, title: t(`text.order_${order}`), kind: t("text.kind_counts"), nats: this.lines[order],
    }));
    return [...nets, ...grams];
  }

  #models() {
    if (!this.seen) return;
    this.all = this.#all();
    const known = JSON.stringify(this.all.map(({ key, title }) => [key, title]));
    if (known === this.known) return this.#draw();
    this.known = known;
    const now = state.source?.checkpoint ?? state.source?.run;
    const usual = ({ key, order, about }) => key === now || (order ? FIRST_ORDERS.includes(order) : about.model !== "ngram");
    const fresh = (m) => !this.offered?.has(m.key) && usual(m);
    this.chosen = new Set(this.all.filter((m) => this.chosen?.has(m.key) || fresh(m)).slice(0, MOST).map(({ key }) => key));
    this.offered = new Set(this.all.map(({ key }) => key));
    this.#drawChips();
    this.#touch();
  }

  #toggle(key) {
    if (this.chosen.has(key)) this.chosen.delete(key);
    else if (this.chosen.size < MOST) this.chosen.add(key);
    this.#drawChips();
    this.#touch();
  }

  #drawChips() {
    fill(this.chips, this.all.map(({ key, title }) => {
      const chip = h("button", { type: "button", class: "tx-chip", onclick: () => this.#toggle(key), title: key }, title);
      press(chip, this.chosen.has(key));
      return chip;
    }));
  }

  // ---- asking -----------------------------------------------------------------------------------------

  /** What the models begin from: the text up to where it was written on. */
  #prompt() {
    const { items, began } = this.lab.branch;
    return items.slice(0, began ?? items.length).map(({ piece }) => piece).join("");
  }

  #touch() {
    if (!this.seen || this.lab.status !== "ready") return;
    this.#draw();
    this.#ask();
  }

  /** A run that trains writes otherwise by now. */
  #moved() {
    if (!this.seen || performance.now() - this.askedAt < LIVE_MS) return;
    this.answers.delete(state.run?.id);
    this.#touch();
  }

  async #ask() {
    this.askedAt = performance.now();
    const turn = (this.turn += 1);
    const prompt = this.#prompt();
    const { length, ...knobs } = this.lab.knobs;
    const about = JSON.stringify([prompt, knobs, this.lab.generation]);
    for (const model of this.#shown()) {
      if (turn !== this.turn) return;
      if (this.answers.get(model.key)?.about === about) continue;
      try {
        this.answers.set(model.key, { about, tokens: await this.#written(model, prompt, knobs, () => turn === this.turn) });
      } catch (error) {
        this.answers.set(model.key, { about, error });
      }
      if (turn === this.turn) this.#draw();
    }
    if (turn === this.turn) await this.#baselines(turn);
  }

  /** Let one model write: {piece, share} a token. */
  async #written(model, prompt, knobs, wanted) {
    if (model.order) {
      const order = model.order === "uniform" ? 0 : Number(model.order);
      return tokensOf(await explore("continue_ngram", { ...knobs, prompt, order, count: CHARACTERS }, { source: counter(this.lab) }));
    }
    let ids = null;
    const tokens = [];
    for (let length = 0; length < CHARACTERS && wanted();) {
      const answer = await explore("continue", { ...knobs, ...(ids ? { tokens: ids } : { prompt }), count: CHUNK }, { source: model.source });
      const fresh = tokensOf(answer);
      if (!fresh.length) break;
      ids = [...(ids ?? answer.values.prompt_ids), ...readArrays(answer).ids.data];
      tokens.push(...fresh);
      length += fresh.reduce((sum, { piece }) => sum + piece.length, 0);
    }
    return tokens;
  }

  /** What counting reaches on this corpus, asked once a model. */
  async #baselines(turn) {
    if (Object.keys(this.lines).length) return;
    setText(this.counting, t("text.beside_counts"));
    try {
      const answer = await explore("baselines", {}, { source: counter(this.lab) });
      this.lines = answer?.values?.lines ?? answer?.values ?? {};
      this.failure.clear();
    } catch (error) {
      this.lines = { none: null };
      this.failure.show(error);
    }
    setText(this.counting, "");
    if (turn === this.turn) this.#models(); // with them n-grams can be chosen, and write
  }

  #shown() {
    const best = (m) => (Number.isFinite(m.nats) ? m.nats : Infinity);
    return (this.all ?? []).filter(({ key }) => this.chosen?.has(key)).sort((a, b) => best(a) - best(b));
  }

  // ---- drawing -------------------------------------------------------------------------------------------

  #draw() {
    if (!this.seen) return;
    const prompt = this.#prompt();
    setText(this.given, prompt ? visible(prompt.length > 60 ? `…${prompt.slice(-60)}` : prompt) : t("text.empty_prompt"));
    const most = Math.max(...this.all.map((m) => m.nats).filter(Number.isFinite), 1e-6);
    const here = state.source?.checkpoint ?? state.source?.run;
    fill(this.rows, this.#shown().map((model) => row(model, { most, here: model.key === here, answer: this.answers.get(model.key) })));
  }
}

function row({ key, title, kind, nats }, { most, here, answer }) {
  const measured = Number.isFinite(nats);
  return h("li", { class: `tx-model${here ? " here" : ""}`, dataset: { key } },
    h("div", { class: "tx-model-about" }, h("b", {}, title), h("span", { class: "play-note" }, kind),
      h("span", { class: "tx-meter", "aria-hidden": "true" }, measured ? h("i", { class: "tx-share", style: { width: `${(100 * nats) / most}%` } }) : null),
      h("span", { class: "play-number tx-model-nats" }, measured ? t("text.nats_bits", { nats: number(nats, 3), bits: number(nats / Math.LN2, 3) }) : t("text.not_measured"))),
    h("p", { class: "tx-model-text" }, answer?.error ? h("span", { class: "play-error" }, answer.error.sentence ?? answer.error.message)
      : answer ? answer.tokens.map(({ piece, share }) => h("span", { class: "tx-token", dataset: { shade: shade(share) } }, piece)) : h("span", { class: "play-note" }, t("text.beside_writes"))));
}

/** Which model counts: a saved one of the same tokens, so that a run has its time for itself. */
function counter({ dataset, config }) {
  const same = (c) => c.dataset === dataset && ["tokenizer", "vocabulary"].every((name) => c.config?.[name] === config[name]);
  const saved = state.catalogue.checkpoints.find(same);
  return saved ? { checkpoint: saved.name } : state.source;
}

function tokensOf(answer) {
  const { probability } = readArrays(answer);
  return answer.values.pieces.map((piece, i) => ({ piece, share: probability.data[i] }));
}

const lastOf = (curves) => curves[`test/${NATS}`]?.[1]?.at(-1);
