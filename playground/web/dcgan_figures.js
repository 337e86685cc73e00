// The monitor's numbers, each under the question that it answers, and the state they amount to.

import { h, setText } from "./explorer_dom.js";
import { number } from "./curves_format.js";
import { shown } from "./decode.js";
import { term } from "./help_terms.js";
import { t } from "./store.js";

const share = (v) => `${Math.round(100 * v)} %`;
const thousandths = (v) => number(1000 * v);
const plain = (v) => shown(v, 2);

const STACKED = "stacked_mnist"; // its digits are counted channel by channel
const STACKED_DIGITS = 30;
const made = (values, sampler) => (sampler.dataset === STACKED ? STACKED_DIGITS : sampler.classNames.length);

/**
 * One number. `of` is the metric, `beside` what the real data give against themselves, `full` the
 * end of its bar (a number, or a function of the values and the sampler), `fair` a fixed mark on
 * the bar; `live` says that one look alone does not give it.
 */
export const GROUPS = [
  { key: "cover", figures: [
    { key: "coverage", of: "coverage", beside: "coverage_real", full: 1, text: plain },
    { key: "density", of: "density", fair: 1, full: 2, text: plain },
    { key: "kid", of: "kid", beside: "kid_real", text: thousandths },
    { key: "ndb", of: "ndb", beside: "ndb_real", full: 1, text: plain },
  ] },
  { key: "classes", figures: [
    { key: "classes_covered", of: "classes_covered", full: made, text: String, total: true },
    { key: "effective_classes", of: "effective_classes", full: (v, s) => s.classNames.length, text: plain, total: true },
    { key: "class_kl", of: "class_kl_nats", full: 1, fair: 0.1, text: plain, unit: "nats" },
  ] },
  { key: "differ", figures: [
    { key: "diversity_ratio", of: "diversity_ratio", fair: 1, full: 1.25, text: plain },
    { key: "latent_sensitivity", of: "latent_sensitivity", text: plain },
    { key: "grid_change", of: "grid_change", text: plain, live: true },
    { key: "closest_pair", of: "closest_pair", text: plain },
  ] },
  { key: "judge", figures: [
    { key: "accuracy_real", of: "discriminator/accuracy_real", full: 1, fair: 0.5, text: share },
    { key: "accuracy_fake", of: "discriminator/accuracy_fake", full: 1, fair: 0.5, text: share },
    { key: "accuracy_held_out", of: "discriminator/accuracy_held_out", full: 1, fair: 0.5, text: share },
  ] },
];

/** The rows of one group, kept and refilled. */
export class Figures {
  constructor(figures) {
    this.rows = figures.map((figure) => new Row(figure));
    this.element = h("div", { class: "dc-figures" }, this.rows.map((row) => row.element));
  }

  /** Show values by metric name; rows without a value are left out. Returns how many there are. */
  set(values, sampler) {
    return this.rows.filter((row) => row.set(values, sampler)).length;
  }
}

class Row {
  constructor(figure) {
    this.figure = figure;
    this.fill = h("b");
    this.tick = h("u");
    this.bar = h("i", { class: "dc-bar dc-lined" }, this.fill, this.tick);
    this.value = h("span", { class: "dc-figure-value play-number" });
    this.beside = h("small", { class: "play-number" });
    this.element = h("div", { class: "dc-figure", dataset: { figure: figure.key } },
      h("span", { class: "dc-figure-name" }, term(figure.key, t(`dcgan.figure.${figure.key}`))),
      this.bar, this.value, this.beside);
  }

  set(values, sampler) {
    const { of, beside, full, fair, text, total, unit, live } = this.figure;
    const value = values[of];
    const there = Number.isFinite(value) && (!live || sampler.live);
    this.element.hidden = !there;
    if (!there) return false;
    const end = typeof full === "function" ? full(values, sampler) : full;
    const mark = beside ? values[beside] : fair;
    setText(this.value, text(value));
    setText(this.beside, unit ?? (total && end ? t("dcgan.of", { total: end }) : realText(beside, mark, text)));
    this.bar.hidden = !end;
    if (!end) return true;
    const place = (v) => `${100 * Math.min(Math.max(v / end, 0), 1)}%`;
    this.fill.style.width = place(value);
    this.tick.hidden = !Number.isFinite(mark);
    if (!this.tick.hidden) this.tick.style.left = place(mark);
    return true;
  }
}

function realText(beside, mark, text) {
  return beside && Number.isFinite(mark) ? t("dcgan.beside", { value: text(mark) }) : "";
}

// ---- one state for all of it ------------------------------------------------------------------

const TOLD = { early: "early", well: "healthy", watch: "watch", warn: "warn", collapse: "collapse", total: "total" };

/** The state that a run's monitor tells, in the page's words; null for none. */
export const toldLevel = (level) => TOLD[level] ?? null;

/**
 * The state of a model that is not training: by the rules of the alerts, as far as one look can
 * tell; what it may have reached before is not known, so that coverage stands beside real data.
 */
export function levelOf(values) {
  if (!Number.isFinite(values.coverage) && !Number.isFinite(values.diversity_ratio)) return null;
  const get = (name, otherwise) => (Number.isFinite(values[name]) ? values[name] : otherwise);
  const coverage = get("coverage", 1) / (get("coverage_real", 0.97) || 1);
  const kl = get("class_kl_nats", 0);
  const diversity = get("diversity_ratio", 1);
  if (diversity < 0.25 || get("effective_classes", 9) < 2 || coverage < 0.1) return "total";
  if (kl > 0.36 || coverage < 0.4) return "collapse";
  if (kl > 0.1 || coverage < 0.6) return "warn";
  return diversity < 0.7 ? "watch" : "healthy";
}
