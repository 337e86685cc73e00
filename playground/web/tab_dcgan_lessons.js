/** What there is to try on the DCGAN tab, and how the page knows that it has happened. */

import { latest } from "./curves_history.js";
import { repaired, underRepair } from "./dcgan_repair.js";

const FEW_STEPS = 300;
const BAD = new Set(["warn", "collapse", "total"]);

const tried = (...names) => ({ type, detail }) => type === "tried" && names.includes(detail?.what);
/** The monitor has looked at a run that is not quite new. */
const looked = (event) => event?.split === "monitor" && event.step >= FEW_STEPS && event.values?.coverage != null;
const now = (name) => latest("monitor", name) ?? latest("test", name);

/** The monitor has said that a run loses variety, and the run has what the lesson is about. */
const collapses = (fits) => ({ type, detail, run }) =>
  type === "alert" && BAD.has(detail.level) && run?.model === "dcgan" && fits(run.config);

const game = {}; // the last round: {mine, judge}

/** @type {import("./lessons.js").Lesson[]} */
export const LESSONS = [
  { key: "dcgan_samples", kind: "try", place: "samples", done: tried("sample") },
  { key: "dcgan_copy", kind: "try", place: "sample", done: tried("look") },
  { key: "dcgan_like", kind: "try", place: "near", done: tried("near") },
  { key: "dcgan_walk", kind: "try", place: "walk", done: tried("walk") },
  { key: "dcgan_arithmetic", kind: "try", place: "arithmetic", done: tried("arithmetic") },
  {
    key: "dcgan_game", kind: "try", place: "game",
    done: ({ type, detail }) => {
      if (type !== "tried" || detail?.what !== "game") return false;
      Object.assign(game, detail);
      return detail.count >= 5;
    },
  },
  {
    key: "dcgan_train", kind: "try", preset: "first-look", place: "train",
    done: ({ type, detail, run }) => type === "metrics" && run?.model === "dcgan" && looked(detail),
  },
  {
    key: "dcgan_guidelines", kind: "try", place: "network",
    done: ({ type, detail }) => type === "tried" && detail?.what === "rebuilt",
  },
  {
    key: "dcgan_stacked", kind: "try", preset: "stacked-packing", place: "train",
    done: ({ type, detail, run }) => type === "metrics" && run?.dataset === "stacked_mnist" && looked(detail),
  },
  {
    key: "dcgan_strong", kind: "break", preset: "break-strong-discriminator", place: "train",
    done: collapses((c) => !c.generator_batch_norm),
  },
  {
    key: "dcgan_tiny", kind: "break", preset: "break-tiny-discriminator", place: "train",
    done: collapses((c) => c.discriminator_channels > 0 && c.discriminator_channels < c.channels / 2),
  },
  {
    key: "dcgan_minimax", kind: "break", preset: "break-minimax", place: "train",
    done: collapses((c) => c.loss === "minimax"),
  },
  { key: "dcgan_remedy", kind: "repair", preset: "break-strong-discriminator", place: "train", done: tried("remedy") },
  {
    key: "dcgan_repair", kind: "repair", checkpoint: "dcgan/mnist-collapsed", place: "repair",
    done: ({ type, detail, run }) => type === "metrics" && detail?.split === "monitor" && Boolean(underRepair(run)) && repaired(detail.values),
  },
];

const percent = (share) => (share == null ? null : Math.round(100 * share));

/** The numbers that an explanation may name, as they are when the thing has happened. */
export function numbersNow(run) {
  return {
    step: run?.step, coverage: now("coverage"), real: now("coverage_real"), kl: now("class_kl_nats"),
    effective: now("effective_classes"), modes: now("classes_covered"), mine: percent(game.mine), judge: percent(game.judge),
    nearest: latest("monitor", "closest_pair"),
  };
}

const panel = (key) => ({ tab: `play-dcgan-tab-${key}`, find: [`#play-dcgan-panel-${key}`, ".dc-lab"] });

/** Where on the page a thing is done. */
export const PLACES = {
  samples: { find: [".dc-grid .play-button.primary", ".dc-grid"], focus: true },
  sample: { find: [".dc-sample", ".dc-grid"] },
  near: panel("near"),
  walk: panel("walk"),
  arithmetic: panel("arithmetic"),
  network: panel("network"),
  game: panel("game"),
  repair: { tab: "play-dcgan-tab-monitor", find: [".dc-repair:not([hidden])", "#play-dcgan-panel-monitor"] },
};
