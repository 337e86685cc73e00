/** What there is to try with autoencoders, and how the page knows that it has happened. */

import { history, latest, metric } from "./curves_history.js";

const ENOUGH_STEPS = 300;

const tried = (...names) => ({ type, detail }) => type === "tried" && names.includes(detail?.what);
const trains = (run) => run && (run.step ?? 0) >= ENOUGH_STEPS && history.series.size > 0;
const smallest = (...values) => Math.min(...values.filter((v) => typeof v === "number"));

function kl() {
  return smallest(latest("test", "kl_nats"), latest("train", "kl_nats"));
}

function collapsed({ type, detail, run }) {
  if (!run || run.step < 100) return false;
  return kl() < 0.1 || (type === "alert" && detail.alert === "posterior_collapse");
}

let raised = null; // {run, kl}: when beta went up while the run trained

function betaLowersKl({ type, detail, run }) {
  if (type === "changed" && detail.field === "beta" && detail.new > detail.old) {
    raised = { run: run?.id, kl: latest("train", "kl_nats") };
  }
  return type === "metrics" && raised?.run === run?.id && latest("train", "kl_nats") < 0.85 * raised?.kl;
}

/** @type {import("./lessons.js").Lesson[]} */
export const LESSONS = [
  { key: "hover", kind: "try", place: "map", done: tried("hover") },
  { key: "draw", kind: "try", place: "pad", done: tried("draw", "upload", "encode") },
  { key: "walk", kind: "try", place: "walk", done: tried("walk") },
  { key: "train", kind: "try", preset: "first-look", place: "train", done: ({ type, run }) => type === "metrics" && trains(run) },
  { key: "beta", kind: "try", place: "beta", done: betaLowersKl },
  {
    key: "twenty", kind: "try", preset: "twenty", place: "train",
    done: ({ type, run }) => type === "metrics" && trains(run) && run.config.latent_dim >= 10 &&
      latest("test", "active_units") != null,
  },
  {
    key: "collapse", kind: "break", preset: "break-collapse", place: "train",
    done: (m) => m.run?.config.beta >= 10 && collapsed(m),
  },
  {
    key: "holes", kind: "break", checkpoint: "ae/mnist-2d", place: "sample",
    done: (m) => m.model === "ae" && tried("sample")(m),
  },
  {
    key: "diverge", kind: "break", preset: "break-divergence", place: "train",
    done: ({ type, detail }) => type === "status" && detail.state === "diverged",
  },
  {
    key: "line", kind: "break", preset: "break-one-dimension", place: "train",
    done: ({ type, run }) => type === "metrics" && trains(run) && run.config.latent_dim === 1,
  },
  {
    key: "kl_mean", kind: "break", preset: "break-kl-mean", place: "train",
    done: ({ type, run }) => type === "metrics" && trains(run) && run.config.kl_reduction === "mean" &&
      run.config.latent_dim > 1 && latest("test", "kl_nats") != null,
  },
  {
    key: "pixel_mean", kind: "break", preset: "break-pixel-mean", place: "train",
    done: (m) => m.run?.config.reconstruction_reduction === "mean" && collapsed(m),
  },
];

/** The numbers that an explanation may name, as they are when the thing has happened. */
export function numbersNow(run) {
  return {
    step: run?.step, elbo: metric("test", "elbo_nats") ?? metric("train", "elbo_nats"),
    kl: latest("train", "kl_nats") ?? latest("test", "kl_nats"), active: latest("test", "active_units"),
    dims: run?.config.latent_dim,
  };
}
