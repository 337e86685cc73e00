/** What the shared parts of the page show on the GAN lab: charts, numbers, lessons, help. */

import { latest, subject } from "./curves_history.js";
import { idOf, t } from "./store.js";
import { thumbnail } from "./lab_thumbnail.js";

export { HELP } from "./tab_gan2d_help.js";
export { LESSONS, numbersNow } from "./tab_gan2d_lessons.js";

export const DEFAULT_CHECKPOINT = "gan2d/ring8";
export const UNLISTED = ["gan2d_atlas"]; // the atlas opens its own

/** The share of high-quality samples that a perfect sampler has: 1 - exp(-9/2). */
const CEILING = 0.989;
/** Reverse KL of 2,500 samples of a perfect sampler (metrics of Lin et al. 2018, by simulation). */
const FLOORS = { ring8: 0.0015, grid25: 0.0049 };
const MODES = { ring8: 8, grid25: 25, gaussian: 1 };

const loss = () => subject()?.config.loss ?? "nonsaturating";

/** How many modes the data have, or null. */
function modes() {
  return latest("monitor", "modes") ?? MODES[subject()?.dataset] ?? null;
}

function floor() {
  const value = FLOORS[subject()?.dataset];
  return value ? [{ value, text: t("lab.reference_floor", { value }) }] : [];
}

function modeLine() {
  const value = modes();
  return value > 1 ? [{ value, text: t("lab.reference_modes", { n: value }) }] : [];
}

const atRest = () => (["nonsaturating", "minimax"].includes(loss()) ? [{ value: 2 * Math.LN2, text: t("lab.reference_rest") }] : []);

export const CHARTS = [
  {
    key: "modes", height: 104, zero: true, reference: modeLine,
    lines: [
      { metric: "modes_strict", colour: "--mon-coverage", name: () => t("lab.line_strict") },
      { metric: "modes_covered", colour: "--mon-plain", name: () => t("lab.line_loose") },
    ],
    alerts: ["modes_lost", "collapse", "total_collapse"],
  },
  {
    key: "quality", metric: "high_quality_share", colour: "--mon-diversity", height: 92, range: [0, 1],
    reference: () => [{ value: CEILING, text: t("lab.reference_ceiling") }], alerts: [],
  },
  { key: "reverse_kl", metric: "reverse_kl_nats", colour: "--mon-kl", height: 92, zero: true, reference: floor, alerts: [] },
  {
    key: "overlap", height: 92, zero: true,
    lines: [
      { metric: "js_nats", colour: "--mon-kl", name: () => t("lab.line_js") },
      { metric: "grid_kl_nats", colour: "--mon-plain", name: () => t("lab.line_kl") },
    ],
    alerts: [],
  },
  {
    key: "losses", height: 104, reference: atRest,
    lines: [
      { metric: "discriminator/loss", colour: "--mon-discriminator", name: "D" },
      { metric: "generator/loss", colour: "--mon-generated", name: "G" },
    ],
    alerts: ["diverged"],
  },
  {
    key: "accuracy", height: 92, range: [0, 1], slow: true,
    lines: [
      { metric: "discriminator/accuracy_real", colour: "--mon-real", name: () => t("lab.line_real") },
      { metric: "discriminator/accuracy_fake", colour: "--mon-generated", name: () => t("lab.line_fake") },
    ],
    alerts: ["discriminator_watch", "overfitting_watch"],
  },
  {
    key: "gradients", height: 80, zero: true, slow: true,
    lines: [
      { metric: "discriminator/grad_norm", colour: "--mon-discriminator", name: "D" },
      { metric: "generator/grad_norm", colour: "--mon-generated", name: "G" },
    ],
    alerts: [],
  },
  { key: "speed", metric: "steps_per_s", zero: true, slow: true, colour: "--mon-plain", height: 72, alerts: [] },
];

export const ROWS = [
  { key: "modes_strict", metric: "modes_strict", of: modes, colour: "--mon-coverage" },
  { key: "modes_covered", metric: "modes_covered", of: modes },
  { key: "high_quality_share", metric: "high_quality_share", colour: "--mon-diversity" },
  { key: "reverse_kl", metric: "reverse_kl_nats", unit: "nats", colour: "--mon-kl" },
  { key: "grid_kl", metric: "grid_kl_nats", unit: "nats" },
  { key: "js", metric: "js_nats", unit: "nats", colour: "--mon-kl" },
  { key: "accuracy_real", metric: "discriminator/accuracy_real" },
  { key: "accuracy_fake", metric: "discriminator/accuracy_fake" },
  { key: "accuracy_held_out", metric: "discriminator/accuracy_held_out" },
  { key: "loss_d", metric: "discriminator/loss", colour: "--mon-discriminator" },
  { key: "loss_g", metric: "generator/loss", colour: "--mon-generated" },
  { key: "penalty", metric: "discriminator/penalty" },
  { key: "gradient_d", metric: "discriminator/grad_norm" },
  { key: "gradient_g", metric: "generator/grad_norm" },
  { key: "rate_d", metric: "discriminator/learning_rate" },
  { key: "rate_g", metric: "generator/learning_rate" },
];

export const PLACES = {
  plane: { find: [".lab-view"] },
  unfold: { find: [".lab-unfold"] },
  slow: { find: [".lab-slow-open"], focus: true },
  step_d: { find: [".lab-step.discriminator"], focus: true },
  step_g: { find: [".lab-step.generator"], focus: true },
  pad: { find: [".lab-draw"], focus: true },
  get atlas() { return { find: [`#${idOf("atlas")}`] }; },
};

export const TIMELINE = { view: "lab", thumbnail };

/** What the list of saved models says beside the data set. */
export function facts({ metrics = {}, dataset }) {
  const found = metrics.modes_strict ?? metrics["test/modes_strict"];
  return found == null || !(MODES[dataset] > 1) ? [] : [t("lab.fact_saved", { n: found, total: MODES[dataset] })];
}

/** The name of a run that has no preset: what is special about it. */
export function runTitle(settings, dataset) {
  const { config } = settings;
  const marks = [];
  if (config.loss && config.loss !== "nonsaturating") marks.push(t(`lab.title_${config.loss}`));
  if (config.packing > 1) marks.push(t("lab.title_packing", { m: config.packing }));
  if (config.minibatch_std) marks.push(t("lab.title_minibatch_std"));
  if (config.r1_gamma > 0) marks.push(t("lab.title_r1"));
  return [t("lab.title_run", { data: dataset?.title ?? settings.dataset }), ...marks].join(", ");
}

export const READY = [".lab-canvas[data-paints]"];

