/** What there is to try in the GAN lab, and how the page knows that it has happened. */

import { latest } from "./curves_history.js";

const FEW_STEPS = 300;
const ENOUGH_STEPS = 1000; // a plain GAN has lost modes by then
const BALANCE = 0.25; // D's means this close together: it can hardly tell

const tried = (...names) => ({ type, detail }) => type === "tried" && names.includes(detail?.what);
const now = (name) => latest("monitor", name) ?? latest("test", name);
const trains = (run, steps = FEW_STEPS) => run?.owner_is_you && (run.step ?? 0) >= steps;
const ring = (run) => run?.dataset === "ring8";

function allModes(run, strict = true) {
  const modes = { ring8: 8, grid25: 25 }[run?.dataset];
  return modes && now(strict ? "modes_strict" : "modes_covered") === modes;
}

const byHand = { run: null, discriminator: 0, generator: 0 }; // steps of one network alone

function stepped({ type, detail, run }, which) {
  if (byHand.run !== run?.id) Object.assign(byHand, { run: run?.id ?? null, discriminator: 0, generator: 0 });
  if (type !== "tried" || detail?.what !== "step_of" || detail.which !== which) return false;
  byHand[which] += detail.count;
  return true;
}

/** Told by the lab with every drawing while steps are taken by hand: how far apart D's means are. */
const gap = { value: 0 };

/** @type {import("./lessons.js").Lesson[]} */
export const LESSONS = [
  { key: "gan_hover", kind: "try", place: "plane", done: tried("hover") },
  { key: "gan_unfold", kind: "try", place: "unfold", done: tried("unfold") },
  { key: "gan_slow", kind: "try", place: "slow", done: tried("slow_end") },
  {
    key: "gan_lose", kind: "try", preset: "gan2d-break-ring", place: "train",
    done: ({ type, run }) => type === "metrics" && ring(run) && trains(run, ENOUGH_STEPS) && run.config.packing === 1 &&
      !run.config.minibatch_std && now("modes_strict") != null && now("modes_strict") < 8,
  },
  {
    key: "gan_packing", kind: "try", preset: "gan2d-packing", place: "train",
    done: ({ type, run }) => type === "metrics" && ring(run) && trains(run) && (run.config.packing > 1 || run.config.minibatch_std) && allModes(run),
  },
  {
    key: "gan_sharp", kind: "try", place: "step_d",
    done: (moment) => {
      const { type, detail } = moment;
      stepped(moment, "discriminator");
      if (type === "tried" && detail?.what === "gap") gap.value = detail.value;
      return byHand.discriminator >= 50 && gap.value > 0.6;
    },
  },
  {
    key: "gan_draw", kind: "try", place: "pad",
    done: ({ type, run }) => type === "metrics" && Boolean(run?.dataset?.startsWith("points:")) && trains(run),
  },
  { key: "gan_atlas", kind: "try", place: "atlas", done: tried("atlas") },
  {
    key: "gan_minimax", kind: "break", preset: "gan2d-break-minimax", place: "train",
    done: ({ type, run }) => type === "metrics" && run?.config.loss === "minimax" && trains(run) &&
      now("discriminator/mean_fake") < BALANCE && latest("train", "generator/grad_norm") < 0.1,
  },
  {
    key: "gan_rush", kind: "break", place: "step_g",
    done: (moment) => {
      stepped(moment, "generator");
      return byHand.generator >= 100;
    },
  },
  {
    key: "gan_line", kind: "break", preset: "gan2d-break-line", place: "train",
    done: ({ type, run }) => type === "metrics" && run?.config.discriminator_depth === 0 && trains(run),
  },
  {
    key: "gan_repair", kind: "repair", checkpoint: "gan2d/ring8-collapsed", place: "packing",
    done: ({ type, run }) => type === "metrics" && run?.parent?.checkpoint === "gan2d/ring8-collapsed" && trains(run, 0) && allModes(run),
  },
  { key: "gan_remedy", kind: "repair", preset: "gan2d-break-ring", place: "train", done: tried("remedy") },
  {
    key: "gan_orbit", kind: "break", preset: "gan2d-break-orbit", place: "train",
    done: ({ type, run }) => type === "metrics" && run?.config.adam_beta1 >= 0.9 && trains(run, ENOUGH_STEPS) && !allModes(run),
  },
];

/** The numbers that an explanation may name, as they are when the thing has happened. */
export function numbersNow(run) {
  return {
    step: run?.step, strict: now("modes_strict"), loose: now("modes_covered"), good: 100 * (now("high_quality_share") ?? NaN),
    kl: now("reverse_kl_nats"), real: now("discriminator/mean_real"), fake: now("discriminator/mean_fake"),
    push: latest("train", "generator/grad_norm"), loss: latest("train", "discriminator/loss"), by_hand_d: byHand.discriminator,
    by_hand_g: byHand.generator,
  };
}
