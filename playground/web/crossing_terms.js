// The losses of a translator: which there are, their weights, and the formulae as they are printed.

import { checkpointShown, latest } from "./curves_history.js";
import { formula, m, row, sub, sup } from "./help_math.js";
import { state, t } from "./store.js";

export const WAYS = ["a2b", "b2a"];

/** Losses of each model, each with the hyperparameter that weighs it. */
const LOSSES = {
  cyclegan: { validity: "lambda_validity", cycle: "lambda_cycle", identity: "lambda_identity" },
  pix2pix: { validity: "lambda_validity", l1: "lambda_l1" },
};

/** @returns {Object<string, string>} loss -> its hyperparameter, in the order in which they are shown */
export const lossesOf = (model) => LOSSES[model] ?? LOSSES.cyclegan;

/** By how much each loss counts. The identity loss is weighed as a part of lambda cycle. */
export function weightsOf(model, config) {
  const own = Object.fromEntries(Object.entries(lossesOf(model)).map(([loss, field]) => [loss, config[field] ?? 0]));
  if ("identity" in own) own.identity *= own.cycle;
  return own;
}

/** Names of both directions, "Flat → 3-D", by the names of the domains. */
export const wayName = (way, domains) => {
  const [a, b] = domains?.length ? domains : ["A", "B"];
  return way === "a2b" ? t("cyclegan.way", { from: a, to: b }) : t("cyclegan.way", { from: b, to: a });
};

/** A domain's name as names of metrics have it: "3-D" is 3d, "Winter, night" winter_night. */
const slug = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}_\s]/gu, "").trim().split(/\s+/).join("_");

/** A direction as names of metrics have it: flat_to_3d. */
function metricName(way, domains) {
  const [a, b] = domains.map(slug);
  return way === "a2b" ? `${a}_to_${b}` : `${b}_to_${a}`;
}

/** The present direction as names of metrics have it. */
export const metricWay = (lab) => metricName(lab.direction, lab.domains);

const SAVED = { cycle: "cycle_l1", identity: "identity_l1", l1: "l1" }; // on a scale of 0 to 1

/** The run that is explored, or null: a saved model may be looked at while a run trains. */
export const runExplored = () => (state.run && state.source?.run === state.run.id ? state.run : null);

/** A metric of what is explored. */
export function explored(split, name) {
  if (runExplored()) return latest(split, name);
  const metrics = checkpointShown()?.metrics ?? {};
  return metrics[`${split}/${name}`] ?? (split === "train" ? null : metrics[name]) ?? null;
}

/**
 * A loss on held-out pictures, on the scale of training: a run's newest value, or a saved model's.
 * @param {(split: string, name: string) => number|null} [read] where metrics are read from
 */
export function heldOut(loss, way, domains, read = explored) {
  const known = read("test", `${way}/${loss}`);
  if (known !== null || !(loss in SAVED)) return known;
  const saved = read("test", `${SAVED[loss]}/${metricName(way, domains)}`);
  return saved === null ? null : 2 * saved;
}

/** What D says at rest, when it cannot tell: E[(1/2 - 1)^2], or -log(1/2). */
export const restOf = (loss) => (loss === "nonsaturating" ? Math.LN2 : 0.25);

const at = (network, ...inside) => row(network, "(", ...inside, ")");
const bars = (...inside) => row("|", ...inside, "|");
const mean = (over, ...inside) => row(sub("𝔼", over), "[", ...inside, "]");
const LETTERS = { a2b: ["G", "F", "a", "b", "B"], b2a: ["F", "G", "b", "a", "A"] };

/** One loss of one direction, as MathML parts. `kind` is the validity loss; pix2pix's D sees both. */
export function lossParts(loss, way, { kind = "least_squares", model = "cyclegan" } = {}) {
  const [there, back, from, to, domain] = LETTERS[way];
  const made = () => at(there, from);
  const judged = () => (model === "pix2pix" ? at(sub("D", domain), from, ",", made()) : at(sub("D", domain), made()));
  if (loss === "validity") {
    return kind === "nonsaturating"
      ? ["−", mean(from, "log", "~", judged())]
      : [mean(from, row("(", judged(), "−", "1", sup(")", "2")))];
  }
  if (loss === "cycle") return [mean(from, bars(at(back, made()), "−", from))];
  if (loss === "identity") return [mean(to, bars(at(there, to), "−", to))];
  return [mean(row(from, ",", to), bars(made(), "−", to))];
}

/** The same as a formula within a line. */
export function lossFormula(loss, way, options) {
  const said = t(`cyclegan.said.${loss}`);
  return m("math", { "aria-label": said }, row(...lossParts(loss, way, options)));
}

/** The same as a formula on a line of its own, with its name on the left. */
export function lossLine(loss, way, options) {
  return formula(t(`cyclegan.said.${loss}`), sub("L", LETTERS[way][0]), "=", ...lossParts(loss, way, options));
}
