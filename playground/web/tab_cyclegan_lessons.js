/** What there is to try on the CycleGAN tab, and how the page knows that it has happened. */

import { latest, metric } from "./curves_history.js";

const FEW_STEPS = 150;
const FAST_STEPS = 50;
const WILD = 0.35; // a way back that misses so much has not learnt to come back

const tried = (...names) => ({ type, detail }) => type === "tried" && names.includes(detail?.what);

/** Held-out pictures were looked at, in a run of CycleGAN that has what the lesson is about. */
const looked = (fits = () => true) => ({ type, run }) =>
  type === "metrics" && run?.model === "cyclegan" && run.step >= FEW_STEPS && latest("test", "a2b/cycle") != null && fits(run.config);

const seen = {}; // what the tests for hidden messages last said

/** @type {import("./lessons.js").Lesson[]} */
export const LESSONS = [
  { key: "cyclegan_own", kind: "try", place: "own", done: ({ type, detail }) => type === "tried" && detail?.what === "crossing" && detail.by !== "example" },
  { key: "cyclegan_turn", kind: "try", place: "turn", done: tried("direction") },
  { key: "cyclegan_patches", kind: "try", place: "field", done: tried("patches", "field") },
  { key: "cyclegan_pairs", kind: "try", place: "pairs", done: tried("pairs") },
  { key: "cyclegan_beside", kind: "try", place: "beside", done: tried("beside") },
  {
    key: "cyclegan_hidden", kind: "try", place: "hidden",
    done: ({ type, detail }) => {
      if (type !== "tried" || detail?.what !== "hidden") return false;
      Object.assign(seen, { ratio: detail.ratio, amount: detail.amount });
      return detail.amount > 0;
    },
  },
  { key: "cyclegan_train", kind: "try", preset: "first", place: "train", done: looked() },
  {
    key: "cyclegan_weights", kind: "try", place: "losses",
    done: ({ type, detail }) => type === "changed" && /^lambda_/.test(detail?.field ?? "") && detail.field !== "lambda_validity",
  },
  { key: "cyclegan_pool", kind: "try", place: "pool", done: ({ type, run }) => type === "metrics" && run?.model === "cyclegan" && run.step >= 50 && poolOpen() },
  {
    key: "cyclegan_alone", kind: "break", place: "train", preset: "gan-alone",
    done: looked((c) => c.lambda_cycle === 0 && c.lambda_validity > 0),
  },
  {
    key: "cyclegan_cycle_only", kind: "break", place: "train", preset: "cycle-alone",
    done: looked((c) => c.lambda_validity === 0 && c.lambda_cycle > 0),
  },
  {
    key: "cyclegan_no_identity", kind: "break", place: "train", preset: "no-identity",
    done: looked((c) => c.lambda_identity === 0 && c.lambda_cycle > 0 && c.lambda_validity > 0),
  },
  {
    key: "cyclegan_fast", kind: "break", place: "train", preset: "break-fast",
    done: ({ type, detail, run }) => (type === "status" && detail?.state === "diverged" && run?.model === "cyclegan")
      || (type === "metrics" && run?.model === "cyclegan" && run.config.learning_rate >= 0.01 && run.step >= FAST_STEPS && latest("test", "a2b/cycle") > WILD),
  },
  {
    key: "cyclegan_remedy", kind: "repair", place: "hidden", checkpoint: "cyclegan/emoji",
    done: ({ type, detail }) => {
      if (type !== "tried" || detail?.what !== "unhidden") return false;
      Object.assign(seen, { before: detail.before, now: detail.now });
      return true;
    },
  },
  {
    key: "cyclegan_slower", kind: "repair", place: "learning_rate",
    done: ({ type, run }) => type === "metrics" && run?.model === "cyclegan" && run.config.learning_rate <= 1e-3 && run.step >= 100
      && latest("test", "a2b/cycle") != null && latest("test", "a2b/cycle") < WILD && latest("test", "b2a/cycle") < WILD,
  },
];

function poolOpen() {
  return document.getElementById("play-cyclegan-tab-pool")?.getAttribute("aria-selected") === "true";
}

/** The numbers that an explanation may name, as they are when the thing has happened. */
export function numbersNow(run) {
  const now = (name) => latest("test", name) ?? metric("test", name);
  return {
    step: run?.step, cycle: now("a2b/cycle"), back: now("b2a/cycle"), identity: now("a2b/identity"), same: now("b2a/identity"),
    l1: now("a2b/l1"), validity: latest("train", "a2b/validity"),
    ratio: seen.ratio, amount: seen.amount, before: seen.before, after: seen.now,
    weight: run?.config.lambda_cycle, part: run?.config.lambda_identity,
  };
}

const panel = (key) => ({ tab: `play-cyclegan-tab-${key}`, find: [`#play-cyclegan-panel-${key}`] });

/** Where on the page a thing is done. */
export const PLACES = {
  own: { find: [".cx-uploader"] },
  turn: { find: [".cx-directions"] },
  field: { find: [".cx-patches", ".cx-theatre"] },
  pairs: panel("pairs"),
  beside: panel("beside"),
  hidden: panel("hidden"),
  losses: panel("losses"),
  pool: panel("pool"),
};
