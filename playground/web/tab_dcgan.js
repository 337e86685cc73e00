/** The DCGAN tab in its own words: charts, numbers, lessons, help. */

import { latest } from "./curves_history.js";
import { TERMS, build } from "./tab_dcgan_help.js";
import { t } from "./store.js";

export { LESSONS, PLACES, numbersNow } from "./tab_dcgan_lessons.js";

export const DEFAULT_CHECKPOINT = "dcgan/mnist";

const COLLAPSE_NATS = 0.36; // as when three of ten classes are gone

/** What real pictures cover of real pictures: the most that can be expected. */
function realCoverage() {
  const value = latest("monitor", "coverage_real");
  return value == null ? [] : [{ value, text: t("dcgan.real_line") }];
}

const levels = () => [{ value: COLLAPSE_NATS, text: t("dcgan.level.collapse") }];

export const CHARTS = [
  {
    key: "coverage", metric: "coverage", colour: "--mon-coverage", height: 128, zero: true, range: [0, 1], reference: realCoverage,
    alerts: ["modes_lost", "collapse", "total_collapse", "diversity_watch", "sensitivity_watch"],
  },
  { key: "class_kl", metric: "class_kl_nats", colour: "--mon-kl", height: 92, zero: true, range: [0, 0.4], reference: levels, alerts: [] },
  {
    key: "dcgan_accuracy", height: 92, range: [0, 1], alerts: ["discriminator_watch", "overfitting_watch"],
    lines: [
      { metric: "discriminator/accuracy_real", splits: ["train"], colour: "--mon-real", name: () => t("dcgan.line_real") },
      { metric: "discriminator/accuracy_fake", splits: ["train"], colour: "--mon-generated", name: () => t("dcgan.line_fake") },
    ],
  },
  {
    key: "dcgan_losses", height: 92, zero: true, alerts: ["diverged"],
    lines: [
      { metric: "discriminator/loss", splits: ["train"], colour: "--mon-discriminator", name: "D" },
      { metric: "generator/loss", splits: ["train"], colour: "--mon-generated", name: "G" },
    ],
  },
  { key: "diversity_ratio", metric: "diversity_ratio", colour: "--mon-diversity", height: 72, zero: true, range: [0, 1], slow: true, alerts: [] },
  {
    key: "dcgan_gradient", height: 72, slow: true, alerts: [],
    lines: [
      { metric: "discriminator/grad_norm", colour: "--mon-discriminator", name: "D" },
      { metric: "generator/grad_norm", colour: "--mon-generated", name: "G" },
    ],
  },
  { key: "speed", metric: "steps_per_s", zero: true, slow: true, colour: "--mon-plain", height: 72, alerts: [] },
];

export const ROWS = [
  { key: "coverage", metric: "coverage", colour: "--mon-coverage" },
  { key: "density", metric: "density" },
  { key: "class_kl", metric: "class_kl_nats", unit: "nats", colour: "--mon-kl" },
  { key: "effective_classes", metric: "effective_classes" },
  { key: "diversity_ratio", metric: "diversity_ratio", colour: "--mon-diversity" },
  { key: "kid", metric: "kid" },
  { key: "dcgan_loss_d", metric: "discriminator/loss", colour: "--mon-discriminator" },
  { key: "dcgan_loss_g", metric: "generator/loss", colour: "--mon-generated" },
  { key: "dcgan_held_out", metric: "discriminator/accuracy_held_out" },
];

export const HELP = { terms: TERMS, summary: () => t("dcgan.help.what"), build };

export const TIMELINE = { view: "samples" };

/** Further facts of a saved model in the list: how much of the data it covers. */
export function facts({ metrics }) {
  const [coverage, real] = ["coverage", "coverage_real"].map((name) => metrics?.[name] ?? metrics?.[`test/${name}`]);
  if (typeof coverage !== "number") return [];
  return [t("dcgan.fact_coverage", { value: coverage.toFixed(2), real: typeof real === "number" ? real.toFixed(2) : "–" })];
}

/** The name of a run that has no preset. */
export function runTitle(settings, dataset) {
  return t("dcgan.run_title", { dataset: dataset?.title ?? settings.dataset ?? "" });
}

export const READY = [".dc-grid-canvas[data-paints]", ".dc-portrait canvas.filled"];
