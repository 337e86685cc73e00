/** What the shared parts of the page show on the VAE tab: charts, numbers, lessons, help. */

import { subject } from "./curves_history.js";
import { shown } from "./decode.js";
import { idOf, t } from "./store.js";
import { boundBars, publishedLine } from "./tab_vae_bound.js";

export { HELP } from "./tab_vae_help.js";
export { LESSONS, numbersNow } from "./tab_vae_lessons.js";

export const DEFAULT_CHECKPOINT = "vae/mnist-2d";

/** @type {import("./curves_spec.js").ChartSpec[]} */
export const CHARTS = [
  { key: "elbo", metric: "elbo_nats", colour: "--mon-elbo", height: 138, reference: publishedLine, alerts: ["diverged"] },
  { key: "reconstruction", metric: "reconstruction_nats", colour: "--mon-reconstruction", height: 92, alerts: [] },
  { key: "kl", metric: "kl_nats", colour: "--mon-kl", height: 92, alerts: ["posterior_collapse"] },
  { key: "gradient", metric: "grad_norm", slow: true, colour: "--mon-plain", height: 72, alerts: [] },
  { key: "speed", metric: "steps_per_s", zero: true, slow: true, colour: "--mon-plain", height: 72, alerts: [] },
];

/** @type {import("./curves_spec.js").RowSpec[]} */
export const ROWS = [
  { key: "elbo", metric: "elbo_nats", unit: "nats", colour: "--mon-elbo" },
  { key: "reconstruction", metric: "reconstruction_nats", unit: "nats", colour: "--mon-reconstruction" },
  { key: "kl", metric: "kl_nats", unit: "nats", colour: "--mon-kl" },
  { key: "code_reconstruction", metric: "code_reconstruction_nats", unit: "nats" },
  { key: "iwae_5", metric: "iwae_5_nats", unit: "nats" },
  { key: "iwae_50", metric: "iwae_50_nats", unit: "nats" },
  { key: "active_units", metric: "active_units", of: "latent_dim" },
  { key: "loss", metric: "loss", unit: "nats" },
  { key: "gradient", metric: "grad_norm" },
  { key: "beta", metric: "beta" },
  { key: "learning_rate", metric: "learning_rate" },
];

export const numbersExtra = boundBars;

/** What has to be said of the numbers as a whole. */
export const numbersNote = () => (subject()?.config.likelihood === "bernoulli_gray" ? t("monitor.gray_targets") : "");

const panel = (key) => ({ tab: idOf(`tab-${key}`), find: [`#${idOf(`panel-${key}`)}`, ".x-explorer"] });

export const PLACES = {
  map: { find: [".x-map"] },
  pad: panel("draw"),
  walk: panel("walk"),
  sample: panel("sample"),
};

export const TIMELINE = { view: "grid" };

/** Curves in nats are the same thing only where pixels are scored alike. */
export const COMPARE = {
  only: ["elbo_nats", "reconstruction_nats", "loss"],
  alike: (pin, run) => pin.config.likelihood === run.config.likelihood,
  unlike: () => t("monitor.pin_unlike"),
};

/** What the list of saved models says beside the data set. */
export function facts({ metrics }) {
  const elbo = metrics?.["test/elbo_nats"];
  return typeof elbo === "number" ? [t("monitor.fact_elbo", { value: elbo.toFixed(1).replace("-", "\u2212") })] : [];
}

/** The name of a run that has no preset. */
export function runTitle({ model, dataset, config }, data) {
  const dims = config.latent_dim ? ` ${shown(config.latent_dim)}-d` : "";
  return `${model.toUpperCase()}${dims}, ${data?.title ?? dataset}`;
}

/** Where the engine names no remedy: the mistake in the settings that explains an alert. */
export function remedyOf(alert, run) {
  const averaged = run.config.reconstruction_reduction === "mean";
  return alert.alert === "posterior_collapse" && averaged ? { reconstruction_reduction: "sum" } : null;
}
