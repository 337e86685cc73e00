// Hidden messages: a little noise on the translation, and how much of the way back breaks.

import { choice, debounce, errorLine, h, setText, slider } from "./explorer_dom.js";
import { number } from "./curves_format.js";
import { Figure, heatScale } from "./crossing_figures.js";
import { Magnifier } from "./crossing_magnifier.js";
import { RemedyCard } from "./crossing_remedy.js";
import { freshness } from "./crossing_state.js";
import { explored, metricWay, runExplored, wayName } from "./crossing_terms.js";
import { term } from "./help_terms.js";
import { decoded } from "./views_pictures.js";
import { emit, t } from "./store.js";

const KINDS = {
  noise: { min: 0, max: 16, step: 0.5, value: 2, format: (v) => t("cyclegan.noise_sd", { value: v }) },
  jpeg: { min: 5, max: 95, step: 5, value: 75, format: (v) => t("cyclegan.jpeg_quality", { value: v }) },
};
const ASK_MS = 150;
const LIVE_MS = 4000;
/** From this ratio on the way back depends on what cannot be seen; from experience. */
const HIDES = 1.5;

export const buildHidden = (lab) => new HiddenView(lab);

class HiddenView {
  constructor(lab) {
    Object.assign(this, { lab, kind: "noise", amounts: Object.fromEntries(Object.entries(KINDS).map(([k, v]) => [k, v.value])), askedAt: -Infinity });
    this.#build();
    this.soon = debounce(() => this.#ask(true), ASK_MS);
    this.fresh = freshness(lab, () => this.#ask(), { live: true });
    lab.on("space", () => this.#space());
  }

  #build() {
    this.which = choice({
      label: t("cyclegan.disturb"), value: this.kind, options: Object.keys(KINDS).map((k) => [k, t(`cyclegan.kind.${k}`)]),
      onchange: (kind) => this.#choose(kind),
    });
    this.sliders = Object.fromEntries(Object.entries(KINDS).map(([kind, { value, format, ...range }]) => [kind, slider({
      label: t(`cyclegan.amount.${kind}`), value, format, ...range, oninput: (v) => { this.amounts[kind] = v; this.soon(); },
    })]));
    this.sliders.jpeg.element.hidden = true;
    this.path = h("span", { class: "play-note" });
    this.failure = errorLine();
    this.input = new Figure({ label: t("cyclegan.row.given") });
    this.made = new Figure({ label: t("cyclegan.row.translation") });
    this.lanes = { before: new Lane("before"), after: new Lane("after") };
    this.verdict = h("p", { class: "cy-verdict" }, this.ratio = h("b", { class: "play-number" }), this.says = h("span"));
    this.overall = h("p", { class: "play-note" });
    this.scale = heatScale();
    this.magnifier = new Magnifier();
    this.remedy = new RemedyCard(this.lab);
    this.stage = h("div", { class: "cy-hidden" },
      h("div", { class: "cy-hidden-source" }, this.input.element, h("span", { class: "cy-to", "aria-hidden": "true" }), this.made.element),
      h("div", { class: "cy-lanes" }, Object.values(this.lanes).map((lane) => lane.element)));
    this.element = h("div", { class: "x-stack cy-view" },
      h("p", {}, t("cyclegan.hidden_what"), " ", term("steganography", t("cyclegan.hidden_term"))),
      h("div", { class: "x-line cy-hidden-controls" }, this.which.element, Object.values(this.sliders).map((s) => s.element), h("i", { class: "cy-spacer" }), this.path),
      this.failure.element, this.stage, h("div", { class: "cy-line" }, this.verdict, this.scale.element), this.overall,
      h("div", { class: "cy-halves" }, this.magnifier.element, this.remedy.element));
    this.element.setAttribute("aria-busy", "true");
  }

  #choose(kind) {
    this.kind = kind;
    for (const [name, { element }] of Object.entries(this.sliders)) element.hidden = name !== kind;
    this.#ask(true);
  }

  #space() {
    this.askedAt = -Infinity;
    this.failure.clear();
    this.remedy.space();
  }

  shown(seen) {
    this.fresh.shown(seen);
    this.seen = seen;
  }

  /** @param {boolean} byPerson whether the person has moved something */
  async #ask(byPerson = false) {
    const { lab, kind } = this;
    if (lab.status !== "ready" || lab.past) return;
    if (!byPerson && lab.live && performance.now() - this.askedAt < LIVE_MS) return;
    this.askedAt = performance.now();
    const amount = this.amounts[kind];
    try {
      const answer = await lab.ask("hidden", { ...lab.pictureArgs(), direction: lab.direction, kind, amount }, "hidden");
      if (!answer) return;
      this.failure.clear();
      await this.#show(answer, kind, amount);
      if (byPerson) emit("tried", { what: "hidden", kind, amount, ratio: answer.values.ratio });
    } catch (error) {
      this.failure.show(error);
    }
  }

  async #show({ items, values }, kind, amount) {
    const { lab } = this;
    const names = ["input", "translation", "changed", "back_before", "back_after", "residual_before", "residual_after"];
    const images = Object.fromEntries(await Promise.all(names.filter((n) => items[n]).map(async (n) => [n, await decoded(items[n])])));
    const forward = lab.direction === "a2b";
    if (images.input) this.input.draw(images.input, t("cyclegan.row.given"));
    this.input.element.hidden = !images.input;
    this.input.say(forward ? "a" : "b");
    this.made.draw(images.translation, t("cyclegan.row.translation"));
    this.made.say(forward ? "G(a)" : "F(b)");
    setText(this.path, `${wayName(lab.direction, lab.domains)} → ${lab.names().from}`);
    const most = Math.max(values.cycle_l1_before, values.cycle_l1_after, 1e-6);
    this.lanes.before.show([images.translation, images.back_before, images.residual_before], values.cycle_l1_before, most, t("cyclegan.lane.before"));
    this.lanes.after.show([images.changed, images.back_after, images.residual_after], values.cycle_l1_after, most,
      t(`cyclegan.lane.${kind}`, { amount }));
    this.scale.set(values.residual_scale);
    this.#verdict(values.ratio, kind, amount);
    this.magnifier.show(images.input, images.translation, forward ? "G(a)" : "F(b)");
    if (kind === "noise") this.remedy.take(values.ratio, { step: runExplored()?.step ?? null, amount, what: lab.chosen });
    this.element.removeAttribute("aria-busy");
  }

  #verdict(ratio, kind, amount) {
    const hides = ratio >= HIDES;
    this.verdict.dataset.hides = String(hides);
    setText(this.ratio, t("cyclegan.times", { ratio: number(ratio) }));
    const nothing = kind === "noise" && amount === 0;
    setText(this.says, t(nothing ? "cyclegan.verdict_zero" : hides ? "cyclegan.verdict_hides" : "cyclegan.verdict_plain"));
    const overall = explored("test", `stegano_ratio/${metricWay(this.lab)}`);
    setText(this.overall, overall == null ? "" : t("cyclegan.overall_ratio", { ratio: number(overall) }));
  }
}

/** One way back: what is sent, what comes back, by how much it misses. */
class Lane {
  constructor(key) {
    this.name = h("b");
    this.value = h("span", { class: "play-number" });
    this.fill = h("b");
    this.figures = ["sent", "back", "missed"].map((name) =>
      new Figure({ caption: t(`cyclegan.lane_${name}`), label: t(`cyclegan.lane_${name}`), kind: name === "missed" ? "heat" : "" }));
    this.element = h("section", { class: `cy-lane ${key}` },
      h("div", { class: "cy-lane-head" }, this.name, h("i", { class: "cy-meter" }, this.fill), this.value),
      h("div", { class: "cy-strip" }, this.figures.map((f) => f.element)));
  }

  show(images, value, most, name) {
    setText(this.name, name);
    setText(this.value, number(value));
    this.fill.style.width = `${(100 * value) / most}%`;
    this.figures.forEach((figure, i) => { if (images[i]) figure.draw(images[i], `${name}: ${t(`cyclegan.lane_${["sent", "back", "missed"][i]}`)}`); });
  }
}
