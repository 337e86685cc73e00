/** The curves and numbers of the text tab: nats and bits, with the counted models as lines to beat. */

import { number } from "./curves_format.js";
import { active, checkpointShown, onHistory, runShown, subject } from "./curves_history.js";
import { emit, explore, on, state, t } from "./store.js";

const ORDERS = ["1", "2", "3", "4", "5", "6"];
const SETTLED_STEPS = 400; // after which a run may be asked for what takes its time
const AGAIN_MS = 15_000;

// ---- the lines to beat -----------------------------------------------------------------------------

const known = new Map(); // corpus and tokenizer -> nats per character by order, or null while asked
let failedAt = -Infinity;

/** What the counts depend on: the corpus, and how it is split. */
function keyOf({ dataset, config }) {
  const { tokenizer, vocabulary } = config ?? {};
  return JSON.stringify([dataset, tokenizer, tokenizer === "characters" ? null : vocabulary]);
}

/** Saved models of the same corpus and tokenizer. */
const saved = (key) => (state.catalogue.checkpoints ?? []).filter((checkpoint) => keyOf(checkpoint) === key);

/** The counts that a saved model tells of its corpus, or null. */
function told(key) {
  const metrics = saved(key).map((checkpoint) => checkpoint.metrics ?? {}).find((found) => "ngram/2" in found);
  return metrics ? Object.fromEntries(ORDERS.map((order) => [order, metrics[`ngram/${order}`]])) : null;
}

/** Where the counts can be asked for: a saved model, else the run when it has time. */
function sourceFor(key, run) {
  const [other] = saved(key);
  if (other) return { checkpoint: other.name };
  const free = !active(run) || run.state === "paused" || run.step >= SETTLED_STEPS;
  return free && run.owner_is_you !== false ? { run: run.id } : null;
}

/** Ask once for each corpus and tokenizer, and only beside a run: it takes seconds. */
async function askBaselines() {
  const what = subject();
  const run = runShown();
  if (!what?.dataset || !state.visible) return;
  const key = keyOf(what);
  if (!known.get(key) && told(key)) known.set(key, told(key));
  const source = known.has(key) || !run ? null : sourceFor(key, run);
  if (!source || performance.now() - failedAt < AGAIN_MS) return;
  known.set(key, null);
  try {
    const { values } = await explore("baselines", {}, { source });
    known.set(key, values.lines);
    emit("baselines", known.get(key));
  } catch (error) {
    known.delete(key); // a corpus that is not there any more, or a run that has no time now
    failedAt = performance.now();
    console.info("The n-gram lines were not counted:", error.message);
  }
}

for (const type of ["source", "run", "visible", "catalogue"]) on(type, () => askBaselines());
onHistory((what) => what === "metrics" && askBaselines());

/** Validation nats per character of n-gram models on the corpus that is shown: {uniform, "1", …}. */
export function baselinesNow() {
  const what = subject();
  return (what && known.get(keyOf(what))) ?? null;
}

/** The counted models as dashed lines: the best one, and those that a young model meets first. */
function lines(scale) {
  const nats = baselinesNow();
  if (!nats) return [];
  const best = ORDERS.filter((order) => Number.isFinite(nats[order])).sort((a, b) => nats[a] - nats[b])[0];
  return [...new Set(["1", "2", "3", best])].filter((order) => Number.isFinite(nats[order]))
    .map((order) => ({ value: nats[order] * scale, falling: true, text: t(`text_training.line_${order}`), source: t("text_training.line_source", { name: t(`text_training.line_${order}`), nats: number(nats[order]) }) }));
}

// ---- tokens a second --------------------------------------------------------------------------------

/** Steps a second times the tokens of a step. */
on("progress", ({ step, steps_per_s: rate }) => {
  const { batch_size: batch, context } = state.run?.config ?? {};
  if (rate > 0 && batch && context) emit("metrics", { step, split: "train", values: { tokens_per_s: rate * batch * context } });
});

export const CHARTS = [
  { key: "text_bits", metric: "bits_per_character", colour: "--mon-elbo", height: 190, alerts: ["diverged", "leak"], reference: () => lines(1 / Math.LN2) },
  { key: "text_loss", metric: "loss", colour: "--mon-reconstruction", height: 104, alerts: [] },
  { key: "text_copied", metric: "copied_run", colour: "--mon-diversity", height: 72, zero: true, range: [0, 20], slow: true, alerts: ["copied*"] },
  { key: "text_gradient", metric: "grad_norm", colour: "--mon-plain", height: 72, slow: true, alerts: [] },
  { key: "learning_rate", metric: "learning_rate", colour: "--mon-plain", height: 60, zero: true, slow: true, alerts: [] },
  { key: "text_speed", metric: "tokens_per_s", colour: "--mon-plain", height: 60, zero: true, slow: true, alerts: [] },
];

/** What the held-out part of a text is called here. */
export const SPLITS = { test: "text_training.validation" };

export const ROWS = [
  { key: "text_nats", metric: "nats_per_character", colour: "--mon-elbo" },
  { key: "text_bits", metric: "bits_per_character" },
  { key: "text_token", metric: "loss", colour: "--mon-reconstruction" },
  { key: "text_token", metric: "nats_per_token", colour: "--mon-reconstruction" }, // of a saved model
  { key: "text_copied", metric: "copied_run", colour: "--mon-diversity" },
  { key: "text_copied_share", metric: "copied_share" },
  { key: "text_gradient", metric: "grad_norm" },
  { key: "learning_rate", metric: "learning_rate" },
  { key: "text_speed", metric: "tokens_per_s" },
];

/** Validation nats per character of what is shown: a run's newest value, or a saved model's. */
export function nats(metrics) {
  return metrics?.["validation/nats_per_character"] ?? metrics?.["test/nats_per_character"] ?? null;
}

/** Further facts of a saved model in the list. */
export function facts({ metrics }) {
  const value = nats(metrics);
  return value === null ? [] : [t("text_training.fact_nats", { value: number(value) })];
}

/** What has to be said of these numbers as a whole. */
export function numbersNote() {
  const what = subject();
  if (!what) return "";
  if (what.config.causal === false) return t("text_training.note_leak");
  const own = checkpointShown() && !runShown() ? nats(checkpointShown().metrics) : null;
  const counted = baselinesNow();
  if (own === null || !counted) return "";
  const beaten = ORDERS.filter((order) => counted[order] > own);
  return beaten.length ? t("text_training.note_beats", { order: t(`text_training.line_${beaten.sort((a, b) => counted[a] - counted[b])[0]}`) }) : "";
}
