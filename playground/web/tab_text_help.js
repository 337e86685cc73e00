/** "How it works" of the text tab: one prediction after another, and who makes it. */

import { fill, h, setText } from "./curves_dom.js";
import { number } from "./curves_format.js";
import { checkpointShown, metric, runShown, subject } from "./curves_history.js";
import { formula, frac, m, row, slot, sub, subsup, sum, sup, words } from "./help_math.js";
import { part, text } from "./help_parts.js";
import { baselinesNow, nats } from "./tab_text_charts.js";
import { t } from "./store.js";

const SHARED_TERMS = [
  "token", "language_model", "context", "nats_token", "bits_character", "perplexity", "validation", "ngram", "temperature", "top_k", "top_p",
  "repetition_penalty", "tokenizer", "byte_pairs", "embedding", "copied_run", "overfitting",
];
const OWN_TERMS = [
  "attention", "attention_head", "causal_mask", "residual_stream", "logit_lens", "positions", "rotary", "tied_head", "kv_cache",
  "hidden_state", "cell_state", "gate", "vanishing", "witten_bell", "dropout", "weight_decay", "warmup",
];
export const TERMS = [...SHARED_TERMS, ...OWN_TERMS, "learning_rate", "gradient", "checkpoint", "speed"];

/** Tiny Shakespeare, first 90 % for training: nats per character on the rest. */
const PUBLISHED = [
  ["bigram", "2.49"], ["fivegram", "1.67"], ["nanogpt_cpu", "1.88"], ["nanogpt_gpu", "1.47"],
];

/** What the body is about: it is built anew for another family or cell. */
export const kind = () => `${subject()?.model ?? "gpt"} ${subject()?.config.cell ?? ""} ${subject()?.config.positions ?? ""}`;

/** The one sentence above the tab. */
export const summary = () => t(`text_training.help.what_${subject()?.model ?? "gpt"}`);

/** Build the body of the fold. @returns {{parts: Node[], write: () => void}} */
export function build() {
  const [model, cell, positions] = kind().split(" ");
  const now = nowLines();
  return {
    parts: [
      part("text_task", text("text_training.help.task"), chainFormula(), text("text_training.help.loss"), lossFormula(), text("text_training.help.units"), unitFormulae(), now.element),
      part(`text_${model}`, model === "gpt" ? gptParts(positions) : model === "rnn" ? rnnParts(cell) : ngramParts()),
      part("text_sampling", text("text_training.help.sampling"), samplingFormula(), text("text_training.help.nucleus")),
      part("text_tokens", text("text_training.help.tokens")),
      part("text_measures", text("text_training.help.measures"), text("text_training.help.memory")),
      part("published", text("text_training.help.published"), published()),
    ],
    write: () => now.write(),
  };
}

// ---- the task ------------------------------------------------------------------------------------

const x = (index) => sub("x", index);
const before = () => sub("x", row("<", "t"));
const given = (...what) => row("p", "(", ...what, ")");

function chainFormula() {
  return formula(t("text_training.help.said_chain"), given("x"), "=", m("munderover", null, "∏", row("t", "=", "1"), "T"), given(x("t"), "|", before()));
}

function lossFormula() {
  return formula(t("text_training.help.said_loss"), "L", "=", "−", frac("1", "T"), sum(row("t", "=", "1"), "T"), "log", "~", given(x("t"), "|", before()));
}

function unitFormulae() {
  const l = () => "L";
  return [
    formula(t("text_training.help.said_bits"), words(t("text_training.help.word_bits")), "=", frac(row(l()), row("c", "~", "ln", "~", "2"))),
    formula(t("text_training.help.said_perplexity"), words(t("text_training.help.word_perplexity")), "=", sup("e", l())),
  ];
}

/** The loss of this run or model, in all three units. */
function nowLines() {
  const origin = h("span", { class: "mon-unit" });
  const slots = Object.fromEntries(["nats", "bits", "perplexity"].map((key) => [key, slot()]));
  const line = formula(t("text_training.help.now_said"), slots.nats.node, unit("nats"), "=", slots.bits.node, unit("bits"), ",", words("\u2003"),
    sup("e", slots.nats.node.cloneNode(true)), "=", slots.perplexity.node);
  const exponent = line.querySelector("msup mn");
  const element = h("div", { class: "mon-now" }, origin, line, h("p", { class: "mon-unit" }));
  const write = () => {
    const what = subject();
    const value = what && (metric("test", "nats_per_character") ?? nats(checkpointShown()?.metrics) ?? metric("train", "nats_per_character"));
    element.hidden = !Number.isFinite(value);
    if (element.hidden) return;
    setText(origin, t(runShown() ? "text_training.help.now_run" : "text_training.help.now_saved", { name: what.shown.title || what.shown.name }));
    slots.nats.set(number(value));
    exponent.textContent = number(value);
    slots.bits.set(number(value / Math.LN2));
    slots.perplexity.set(number(Math.exp(value)));
    const counted = baselinesNow()?.["2"];
    setText(element.lastChild, Number.isFinite(counted) ? t(value < counted ? "text_training.help.now_better" : "text_training.help.now_worse", { bigram: number(counted) }) : "");
  };
  return { element, write };
}

/** Words that follow a formula. */
const after = (text) => words(`\u2002${text}`);
const unit = (name) => after(t(`text_training.help.now_${name}`));

// ---- the families ------------------------------------------------------------------------------------

function gptParts(positions) {
  const scores = frac(row("Q", sup("K", "⊤")), m("msqrt", null, "d"));
  return [
    text("text_training.help.gpt"),
    formula(t("text_training.help.said_attention"), words("Attention"), "(", "Q", ",", "K", ",", "V", ")", "=", words("softmax"), "(", scores, "+", "M", ")", "V"),
    text("text_training.help.mask"),
    formula(t("text_training.help.said_mask"), sub("M", row("t", "s")), "=", "0", after(t("text_training.help.mask_seen")), ",", words("\u2003"), "−", "∞", after(t("text_training.help.mask_hidden"))),
    text("text_training.help.block"),
    ["Attention", "MLP"].map((part) => formula(t(`text_training.help.said_block_${part.toLowerCase()}`), "h", "←", "h", "+", words(part), "(", words("LN"), "(", "h", ")", ")")),
    text(`text_training.help.positions_${["rotary", "none"].includes(positions) ? positions : "learnt"}`),
  ];
}

const affine = (name, input) => row(sub("W", name), input, "+", sub("U", name), sub("h", row("t", "−", "1")), "+", sub("b", name));
const gate = (name, input = "x") => row(name, "=", "σ", "(", affine(name, sub(input, "t")), ")");
const before1 = (name) => sub(name, row("t", "−", "1"));

function rnnParts(cell) {
  const says = t(`text_training.help.said_${cell || "lstm"}`);
  const lines = {
    rnn: [[sub("h", "t"), "=", "tanh", "(", affine("h", x("t")), ")"]],
    lstm: [
      [gate("i"), ",", words("\u2003"), gate("f")],
      [gate("o"), ",", words("\u2003"), sub("g", "t"), "=", "tanh", "(", affine("g", x("t")), ")"],
      [sub("c", "t"), "=", "f", "⊙", before1("c"), "+", "i", "⊙", sub("g", "t"), ",", words("\u2003"), sub("h", "t"), "=", "o", "⊙", "tanh", "(", sub("c", "t"), ")"],
    ],
    gru: [
      [gate("r"), ",", words("\u2003"), gate("z")],
      [sub("n", "t"), "=", "tanh", "(", sub("W", "n"), x("t"), "+", sub("b", "n"), "+", "r", "⊙", "(", sub("U", "n"), before1("h"), "+", subsup("b", "n", "′"), ")", ")"],
      [sub("h", "t"), "=", "(", "1", "−", "z", ")", "⊙", sub("n", "t"), "+", "z", "⊙", before1("h")],
    ],
  }[cell] ?? [];
  return [text("text_training.help.rnn"), lines.map((line) => formula(says, ...line)), text(`text_training.help.cell_${cell || "lstm"}`), text("text_training.help.vanishing"), vanishingFormula()];
}

function vanishingFormula() {
  const d = (over, under) => frac(row("∂", over), row("∂", under));
  return formula(t("text_training.help.said_vanishing"), d(sub("h", "T"), sub("h", "t")), "=", m("munderover", null, "∏", row("s", "=", "t", "+", "1"), "T"), d(sub("h", "s"), sub("h", row("s", "−", "1"))));
}

function ngramParts() {
  const c = (...what) => row("c", "(", ...what, ")");
  const types = () => row("N", "(", "h", ")");
  return [
    text("text_training.help.ngram"),
    formula(t("text_training.help.said_witten_bell"), given("w", "|", "h"), "=", frac(row(c("h", "w"), "+", types(), "~", given("w", "|", sup("h", "′"))), row(c("h"), "+", types()))),
    text("text_training.help.witten_bell"),
  ];
}

function samplingFormula() {
  const z = (index) => sup("e", row(sub("z", index), "/", "τ"));
  return formula(t("text_training.help.said_sampling"), sub("p", "i"), "=", frac(z("i"), row(sum("j"), z("j"))));
}

function published() {
  const table = h("table", { class: "mon-published" });
  const rows = PUBLISHED.map(([key, cell]) => h("tr", {}, h("th", { scope: "row" }, t(`text_training.help.method_${key}`)), h("td", { class: "play-number" }, cell)));
  fill(table, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("text_training.help.column_model")), h("th", { scope: "col" }, t("text_training.help.column_nats")))), h("tbody", {}, rows));
  return h("div", { class: "mon-scroll" }, table);
}
