/** "How it works" of the CycleGAN tab: two networks a way, the three losses, what is measured. */

import { fill, h, setText } from "./curves_dom.js";
import { number } from "./curves_format.js";
import { shown } from "./decode.js";
import { metric, runShown, subject } from "./curves_history.js";
import { formula, frac, row, slot, sub, sup, words } from "./help_math.js";
import { part, text } from "./help_parts.js";
import { WAYS, heldOut, lossLine, lossesOf, wayName, weightsOf } from "./crossing_terms.js";
import { domainsNow } from "./tab_cyclegan_charts.js";
import { t } from "./store.js";

export const TERMS = [
  "generator_ab", "discriminator_ab", "domain", "validity", "cycle", "identity", "l1", "true_partner", "patch_gan", "image_pool",
  "least_squares", "instance_norm", "residual_block", "u_net", "unpaired", "steganography", "lambda",
  "retrieval_top1", "style_distance", "perceptual_score", "learning_rate", "gradient", "checkpoint", "speed",
];

/** Cityscapes, labels to photo: per-pixel and per-class accuracy, class IoU (Zhu et al. 2017, tables 2 and 4). */
const PUBLISHED = [
  ["pix2pix", ".71 / .25 / .18"], ["cyclegan", ".52 / .17 / .11"], ["gan_alone", ".51 / .11 / .08"], ["cycle_alone", ".22 / .07 / .02"],
];

/** What the body is about: it is built anew for another model or another validity loss. */
export const kind = () => `${subject()?.model ?? "cyclegan"} ${subject()?.config.loss ?? "least_squares"}`;

/** Build the body of the fold. @returns {{parts: Node[], write: () => void}} */
export function build() {
  const [model, loss] = kind().split(" ");
  const now = nowLines(model);
  const pix2pix = model === "pix2pix";
  const options = { model, kind: loss };
  return {
    parts: [
      part("cyclegan_game", text("cyclegan.help.game"), wayFormulae(), text(pix2pix ? "cyclegan.help.pix2pix" : "cyclegan.help.unpaired")),
      part("cyclegan_losses", Object.keys(lossesOf(model)).map((name) => [text(`cyclegan.help.loss_${name}`), WAYS.map((way) => lossLine(name, way, options))])),
      part("cyclegan_sum", text(`cyclegan.help.sum_${model}`), sumFormula(model), text("cyclegan.help.discriminator"), discriminatorFormula(model, loss), now.element),
      part("cyclegan_hidden", text("cyclegan.help.hidden"), text("cyclegan.help.remedy")),
      part("cyclegan_measures", text("cyclegan.help.measures"), text("cyclegan.help.floor")),
      part("published", text("cyclegan.help.published"), published()),
    ],
    write: () => now.write(),
  };
}

function wayFormulae() {
  return [formula(t("cyclegan.help.ways_said"), "G", ":", "A", "→", "B", ",", words("\u2003"), "F", ":", "B", "→", "A")];
}

/** The sum that both generators minimise. */
function sumFormula(model) {
  const term = (name) => sub("L", words(t(`cyclegan.help.short_${name}`)));
  if (model === "pix2pix") return formula(t("cyclegan.help.sum_said_pix2pix"), "L", "=", sub("λ", "v"), term("validity"), "+", sub("λ", "1"), term("l1"));
  return formula(t("cyclegan.help.sum_said"), "L", "=", sub("λ", "v"), term("validity"), "+", sub("λ", "c"), "(", term("cycle"), "+", sub("λ", "i"), term("identity"), ")");
}

/** What a discriminator minimises: half the loss, as published. */
function discriminatorFormula(model, loss) {
  const judge = (...what) => row(sub("D", "B"), "(", ...(model === "pix2pix" ? ["a", ",", ...what] : what), ")");
  const made = () => ["G", "(", "a", ")"];
  const mean = (below, ...inside) => row(sub("𝔼", below), "[", ...inside, "]");
  const half = frac("1", "2");
  const parts = loss === "nonsaturating"
    ? [half, "(", "−", mean("b", "log", "~", judge("b")), "−", mean("a", "log", "~", "(", "1", "−", judge(...made()), ")"), ")"]
    : [half, "(", mean("b", sup(row("(", judge("b"), "−", "1", ")"), "2")), "+", mean("a", sup(judge(...made()), "2")), ")"];
  return formula(t("cyclegan.help.discriminator_said"), sub("L", sub("D", "B")), "=", ...parts);
}

/** Weights and losses of this run or model, put into the sum of each direction. */
function nowLines(model) {
  const origin = h("p", { class: "mon-unit" });
  const lines = WAYS.map((way) => ({ way, name: h("span", { class: "mon-unit" }), sum: h("div"), known: null }));
  const element = h("div", { class: "mon-now" }, origin, lines.map(({ name, sum }) => h("div", { class: "cy-now" }, name, sum)));
  const write = () => {
    const what = subject();
    element.hidden = !what;
    if (!what) return;
    setText(origin, t(runShown() ? "cyclegan.help.now_run" : "cyclegan.help.now_saved", { name: what.shown.title || what.shown.name }));
    const weights = weightsOf(model, what.config);
    for (const line of lines) writeLine(line, weights);
  };
  return { element, write };
}

function writeLine(line, weights) {
  const domains = domainsNow();
  const value = (name) => metric("train", `${line.way}/${name}`) ?? heldOut(name, line.way, domains, metric);
  const known = Object.keys(weights).filter((name) => value(name) !== null);
  if (String(known) !== String(line.known)) {
    line.known = known;
    line.slots = known.map(() => ({ weight: slot(), value: slot() }));
    fill(line.sum, formula(t("cyclegan.help.now_said"), ...line.slots.flatMap((s, i) => [...(i ? ["+"] : []), s.weight.node, "·", s.value.node])));
  }
  setText(line.name, wayName(line.way, domains));
  known.forEach((name, i) => {
    line.slots[i].weight.set(shown(weights[name]));
    line.slots[i].value.set(number(value(name)));
  });
}

function published() {
  const table = h("table", { class: "mon-published" });
  const rows = PUBLISHED.map(([key, cell]) => h("tr", {}, h("th", { scope: "row" }, t(`cyclegan.help.method_${key}`)), h("td", { class: "play-number" }, cell)));
  fill(table, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("cyclegan.help.column_method")), h("th", { scope: "col" }, t("cyclegan.help.column_scores")))), h("tbody", {}, rows));
  return h("div", { class: "mon-scroll" }, table);
}
