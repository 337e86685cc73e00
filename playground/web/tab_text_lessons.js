/** What there is to try on the text tab, and how the page knows that it has happened. */

import { number } from "./curves_format.js";
import { latest, metric, seriesOf } from "./curves_history.js";
import { state, t } from "./store.js";
import { baselinesNow } from "./tab_text_charts.js";

const FEW_STEPS = 100;
const HOT = 1.5; // a temperature at which words fall apart
const LEAK = 1; // nats per character on new text below which the answer was seen
const MUCH = 0.25; // nats by which validation rises above its best, or stays above training
const STUCK = 2.6; // nats per character after many steps: nothing but frequencies was learnt
const FADED = 0.001; // of the gradient at the far end
const NOTHING = 1e-12; // of the gradient: below, rounding is all that is left
const FORGETFUL_STEPS = 700; // by then a small text is known by heart, unless something is against it
const WILD_RATE = 0.05;

const tried = (...names) => ({ type, detail }) => type === "tried" && names.includes(detail?.what);
const neural = (run) => run?.model === "gpt" || run?.model === "rnn";
const held = () => latest("test", "nats_per_character");
const learnt = () => latest("train", "nats_per_character");

const seen = {}; // what the views last said

/** Note what a moment says before judging it. */
const noting = (names, fits) => (moment) => {
  if (!fits(moment)) return false;
  for (const name of names) seen[name] = moment.detail?.[name];
  return true;
};

/** A run whose setting is such, with metrics that fit. */
const run = (fits) => ({ type, run: now }) => type === "metrics" && Boolean(now) && neural(now) && fits(now, now.config);

/** By how much the validation loss has risen above its lowest. */
function risen() {
  const series = seriesOf("test", "nats_per_character");
  if (!series?.length) return 0;
  const values = series.y.subarray(0, series.length);
  return series.last - Math.min(...values);
}

/** @type {import("./lessons.js").Lesson[]} */
export const LESSONS = [
  { key: "text_generate", kind: "try", place: "box", done: noting(["tokens"], tried("generated")) },
  { key: "text_alternative", kind: "try", place: "box", done: tried("alternative") },
  { key: "text_cold", kind: "try", place: "knobs", done: ({ type, detail }) => type === "tried" && detail?.what === "generated" && detail.temperature === 0 },
  { key: "text_hot", kind: "try", place: "knobs", done: ({ type, detail }) => type === "tried" && detail?.what === "generated" && detail.temperature >= HOT },
  {
    key: "text_ngram", kind: "try", preset: "first", place: "train",
    done: run((now, config) => config.causal !== false && held() !== null && held() < (baselinesNow()?.["2"] ?? 0)),
  },
  { key: "text_ladder", kind: "try", place: "sample", done: tried("ladder") },
  {
    key: "text_head", kind: "try", place: "inside", checkpoint: "gpt/shakespeare",
    done: noting(["share"], ({ type, detail }) => type === "tried" && detail?.what === "head" && detail.habit === "before"),
  },
  { key: "text_lens", kind: "try", place: "inside", checkpoint: "gpt/shakespeare", done: tried("lens") },
  {
    key: "text_cell", kind: "try", place: "inside", checkpoint: "rnn/shakespeare",
    done: noting(["correlation", "unit"], tried("cell")),
  },
  { key: "text_tokens", kind: "try", place: "tokens", done: noting(["tokens", "characters"], ({ type, detail }) => type === "tried" && detail?.what === "tokenised" && detail.characters >= 10) },
  { key: "text_beside", kind: "try", place: "beside", done: tried("beside") },
  {
    key: "text_no_mask", kind: "break", place: "train", preset: "break-causal",
    done: run((now, config) => config.causal === false && held() !== null && held() < LEAK),
  },
  {
    key: "text_no_positions", kind: "break", place: "train", preset: "break-positions",
    done: run((now, config) => config.positions === "none" && config.causal !== false && now.step >= 3 * FEW_STEPS && held() !== null),
  },
  {
    key: "text_fast", kind: "break", place: "train", preset: "break-fast",
    done: ({ type, detail, run: now }) => neural(now) && ((type === "status" && detail?.state === "diverged")
      || (type === "metrics" && now.config.learning_rate >= WILD_RATE && now.step >= FEW_STEPS && learnt() > STUCK)),
  },
  {
    key: "text_tiny", kind: "break", place: "train", preset: "break-tiny",
    done: run((now) => risen() > MUCH && learnt() < held() - MUCH),
  },
  {
    key: "text_vanilla", kind: "break", preset: "break-vanilla",
    get place() { return state.run?.config.cell === "rnn" && state.run.step >= FEW_STEPS ? "inside" : "train"; },
    done: noting(["left", "distance"], ({ type, detail }) => type === "tried" && detail?.what === "reach" && detail.cell === "rnn" && detail.left < FADED),
  },
  {
    key: "text_lstm", kind: "repair", place: "train", preset: "lstm",
    done: run((now, config) => ["lstm", "gru"].includes(config.cell) && now.step >= FEW_STEPS && held() !== null && held() < STUCK),
  },
  {
    key: "text_dropout", kind: "repair", place: "dropout", preset: "break-tiny",
    done: run((now, config) => config.dropout >= 0.1 && now.dataset !== "shakespeare" && now.step >= FORGETFUL_STEPS
      && held() !== null && held() < STUCK && risen() < MUCH),
  },
  {
    key: "text_slower", kind: "repair", place: "learning_rate", preset: "break-fast",
    done: run((now, config) => {
      if (config.learning_rate >= WILD_RATE) seen.leapt = true; // there has to be something to repair
      return seen.leapt && config.learning_rate <= 0.01 && now.step >= FEW_STEPS && held() !== null && held() < STUCK - 0.1;
    }),
  },
];

/** The numbers that an explanation may name, as they are when the thing has happened. */
export function numbersNow(now) {
  const validation = held() ?? metric("test", "nats_per_character");
  return {
    step: now?.step, validation, train: learnt(), bigram: baselinesNow()?.["2"], fivegram: baselinesNow()?.["5"],
    rate: now?.config.learning_rate, risen: risen(), correlation: seen.correlation, unit: seen.unit, tokens: seen.tokens, characters: seen.characters,
    share: seen.share === undefined ? undefined : Math.round(100 * seen.share), left: leftWords(), distance: seen.distance,
  };
}

/** How much of the gradient is left at the far end. */
function leftWords() {
  if (seen.left === undefined) return undefined;
  return seen.left < NOTHING ? t("text_training.inside.reach_nothing") : `${number(100 * seen.left)} %`;
}

const panel = (key) => ({ tab: `play-text-tab-${key}`, find: [`#play-text-panel-${key}`] });

/** Where on the page a thing is done. */
export const PLACES = {
  box: { tab: "play-text-tab-write", find: [".tx-box", "#play-text-panel-write"] },
  knobs: { tab: "play-text-tab-write", find: [".tx-knobs", "#play-text-panel-write"] },
  sample: { find: [".ti-sample-card", "#play-text-train"] },
  inside: panel("inside"),
  tokens: panel("tokens"),
  beside: panel("beside"),
};
