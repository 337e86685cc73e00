// How far a model reaches: the gradient by distance, and what more context is worth.

import { h, setText } from "./explorer_dom.js";
import { number, whole } from "./curves_format.js";
import { checkpointShown, runShown } from "./curves_history.js";
import { readArrays } from "./decode.js";
import { button, fill } from "./dom.js";
import { percent } from "./text_words.js";
import { Plot } from "./text_inside_plot.js";
import { palette } from "./theme.js";
import { emit, t } from "./store.js";

const NOTHING = 1e-12; // of the gradient: below, rounding is all that is left
const REMEMBERED = 5; // curves of models looked at before, beside that of the present one
const BEFORE = [2, 4, 8].map((i) => palette.classes[i]).concat([palette.classes[5], palette.classes[9]]);

export const buildReach = (inside) => new ReachView(inside);
export const buildContext = (inside) => new ContextView(inside);

const nameNow = () => runShown()?.title || checkpointShown()?.title || checkpointShown()?.name || t("text_training.inside.this_model");

class ReachView {
  constructor(inside) {
    Object.assign(this, { inside, known: new Map() });
    this.plot = new Plot({ label: t("text_training.inside.reach_alt"), x: t("text_training.inside.distance"), y: t("text_training.inside.gradient"), log: true, height: 260 });
    this.says = h("p", { class: "ti-habit" });
    this.forget = button(t("text_training.inside.forget"), () => { this.known = new Map([...this.known].slice(-1)); this.#draw(); }, { kind: "small quiet" });
    this.again = button(t("text_training.inside.measure_again"), () => inside.attempt(() => this.load()), { kind: "small" });
    this.element = h("div", { class: "x-stack" }, this.says, this.plot.element, h("div", { class: "x-line" }, this.again, this.forget));
  }

  clear() {}

  async load() {
    const answer = await this.inside.look("gradients");
    if (!answer) return null;
    const norm = [...readArrays(answer).norm.data];
    const name = nameNow();
    this.known.delete(name);
    this.known.set(name, norm.map((value, distance) => [distance, value / (norm[0] || 1)]).filter(([, value]) => value > NOTHING));
    while (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value);
    this.#draw();
    emit("tried", { what: "reach", left: left(norm), distance: norm.length - 1, cell: this.inside.lab.config?.cell });
    setText(this.says, t("text_training.inside.reach_says", { reach: whole(answer.values.reach), far: whole(norm.length - 1), left: share(left(norm)), windows: whole(answer.values.windows) }));
    return answer;
  }

  #draw() {
    const all = [...this.known];
    this.forget.hidden = all.length < 2;
    this.plot.set(all.map(([name, points], i) => {
      const now = i === all.length - 1;
      return { name, points, colour: now ? "var(--play-accent)" : BEFORE[i % BEFORE.length], faint: !now };
    }).reverse());
  }
}

/** What is left of the gradient at the far end, as a part of what it is at distance 0. */
const left = (norm) => norm.at(-1) / (norm[0] || 1);

const share = (part) => (part >= 0.001 ? percent(part) : part < NOTHING ? t("text_training.inside.reach_nothing") : `${number(100 * part, 2)} %`);

class ContextView {
  constructor(inside) {
    this.inside = inside;
    this.plot = new Plot({ label: t("text_training.inside.context_alt"), x: t("text_training.inside.tokens_before"), y: t("text_training.inside.nats_token"), logX: true, height: 240 });
    this.says = h("p", { class: "ti-habit" });
    this.kinds = h("div", { class: "ti-bars" });
    this.element = h("div", { class: "x-stack" }, this.says, this.plot.element, h("h4", { class: "x-sub" }, t("text_training.inside.by_kind")), this.kinds);
  }

  clear() {}

  async load() {
    const answer = await this.inside.look("context");
    if (!answer) return null;
    const { bins, kinds } = answer.values;
    this.plot.set([{ name: nameNow(), colour: "var(--play-accent)", points: bins.map(({ from, to, nats }) => [Math.sqrt(from * to), nats]) }]);
    const last = bins.at(-1);
    setText(this.says, t("text_training.inside.context_says", { first: number(bins[0].nats), last: number(last.nats), n: whole(last.from) }));
    this.#drawKinds(kinds);
    return answer;
  }

  #drawKinds(kinds) {
    const most = Math.max(...kinds.map((kind) => kind.nats), 1e-9);
    fill(this.kinds, kinds.map(({ kind, nats, share: part }) => h("div", { class: "ti-bar" }, h("span", {}, t(`text_training.inside.tokens_${kind}`)),
      h("i", { class: "ti-guess-bar" }, h("i", { style: { width: `${(100 * nats) / most}%` } })), h("b", { class: "play-number" }, number(nats)),
      h("span", { class: "play-note play-number" }, t("text_training.inside.of_text", { share: percent(part) })))));
  }
}

