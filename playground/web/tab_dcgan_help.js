/** "How it works" of the DCGAN tab: the game, the guidelines, sizes, and what the monitor measures. */

import { fill, h, setText } from "./curves_dom.js";
import { number } from "./curves_format.js";
import { latest, metric, subject } from "./curves_history.js";
import { formula, frac, m, row, sub, words } from "./help_math.js";
import { part, text } from "./help_parts.js";
import { AT_REST, LOSSES, gameFormulae, liveLosses } from "./tab_gan2d_math.js";
import { t } from "./store.js";

export const TERMS = [
  "generator", "discriminator", "noise", "mode_collapse", "nonsaturating", "transposed", "strided", "batch_norm",
  "leaky_relu", "truncation", "spherical", "opinion", "nearest_training", "classifier", "features", "fixed_grid",
  "coverage", "density", "kid", "ndb", "classes_covered", "effective_classes", "class_kl", "diversity_ratio",
  "latent_sensitivity", "grid_change", "closest_pair", "accuracy_real", "accuracy_held_out", "accuracy_fake",
  "packing", "minibatch_std", "r1", "spectral_norm", "stacked",
];

/** The four guidelines, each with what tells whether a model follows it. */
const GUIDELINES = [
  { key: "sizes", kept: (c) => c.upsampling === "transposed" && c.downsampling === "strided" },
  { key: "norm", kept: (c) => c.generator_batch_norm && c.discriminator_batch_norm },
  { key: "g", kept: (c) => c.generator_activation === "relu" && c.generator_output === "tanh" },
  { key: "d", kept: (c) => c.discriminator_activation === "leaky_relu" },
];

/** Build the body of the fold. @returns {{parts: Node[], write: () => void}} */
export function build() {
  const losses = h("div");
  const live = liveLosses();
  const now = h("div", { class: "mon-now" }, h("p", { class: "mon-unit" }, t("dcgan.help.now")), live.elements);
  const guides = h("ul", { class: "dc-guides" });
  const covered = h("p");
  let kind = null;
  const write = () => {
    const config = subject()?.config ?? {};
    const loss = LOSSES[config.loss] ? config.loss : "nonsaturating";
    if (loss !== kind) fill(losses, LOSSES[loss]());
    kind = loss;
    const [d, g] = [latest("train", "discriminator/loss"), latest("train", "generator/loss")];
    now.hidden = d == null;
    const [dRest, gRest] = AT_REST[loss];
    live.set({ d: number(d), g: number(g), dRest: number(dRest), gRest: number(gRest) });
    fill(guides, GUIDELINES.map((one) => guide(one, config)));
    setText(covered, coverText());
  };
  return {
    parts: [
      part("dcgan_game", text("dcgan.help.game"), gameFormulae(), text("dcgan.help.losses"), losses, now),
      part("dcgan_guidelines", text("dcgan.help.guidelines"), guides, h("p", { class: "mon-unit" }, t("dcgan.help.guidelines_source"))),
      part("dcgan_sizes", text("dcgan.help.sizes"), sizeFormulae(), text("dcgan.help.sizes_example")),
      part("dcgan_monitor", text("dcgan.help.monitor"), monitorFormulae(), text("dcgan.help.monitor_parts"), covered),
    ],
    write,
  };
}

function guide({ key, kept }, config) {
  const known = config.channels != null;
  const yes = known && kept(config);
  return h("li", { class: known ? (yes ? "kept" : "left") : "" }, text(`dcgan.help.guide_${key}`),
    known ? h("p", { class: "mon-unit" }, t(yes ? "dcgan.help.guide_kept" : "dcgan.help.guide_left")) : null);
}

function coverText() {
  const value = metric("monitor", "coverage");
  const real = metric("monitor", "coverage_real");
  return value == null ? "" : t("dcgan.help.coverage_now", { value: number(value), real: number(real) });
}

const to = () => row("n", "′");
const floor = (...inside) => m("mrow", null, "⌊", inside, "⌋");

/** How a layer's output follows from its input: side n to side n′. */
function sizeFormulae() {
  return [
    formula(t("dcgan.law_convolution"), to(), "=", floor(frac(row("n", "+", "2", "p", "−", "k"), "s")), "+", "1", words(`\u2003${t("dcgan.help.convolution_word")}`)),
    formula(t("dcgan.law_transposed"), to(), "=", "(", "n", "−", "1", ")", "s", "−", "2", "p", "+", "k", words(`\u2003${t("dcgan.help.transposed_word")}`)),
  ];
}

/** Coverage and the divergence of the classes. */
function monitorFormulae() {
  const ball = row(sub("B", "k"), "(", sub("x", "i"), ")");
  return [
    formula(t("dcgan.help.coverage_said"), words(t("dcgan.figure.coverage")), "=", frac("1", "N"), m("munderover", null, "∑", row("i", "=", "1"), "N"),
      sub("𝟙", row("∃", "j", ":", sub("y", "j"), "∈", ball))),
    formula(t("dcgan.help.kl_said"), words("KL"), "=", sub("∑", "c"), sub("q", "c"), "~", "ln", "~", frac(sub("q", "c"), sub("p", "c"))),
  ];
}
