/** "How it works" on the GAN lab: the game, its losses, collapse, and the measures. */

import { h, fill, setText } from "./curves_dom.js";
import { number } from "./curves_format.js";
import { metric, runShown, subject } from "./curves_history.js";
import { part, text } from "./help_parts.js";
import { AT_REST, LOSSES, coverFormulae, gameFormulae, liveLosses, remedyFormulae } from "./tab_gan2d_math.js";
import { t } from "./store.js";

/** Lin et al. 2018, "PacGAN", Table 1; the last row is a perfect sampler, by simulation. */
const PUBLISHED = [
  ["gan", "6.3, 98.2 %, 0.45", "17.3, 94.8 %, 0.70"],
  ["pac2", "7.9, 95.6 %, 0.07", "23.8, 91.3 %, 0.13"],
  ["pac4", "7.8, 95.9 %, 0.07", "24.8, 93.6 %, 0.04"],
  ["perfect", "8, 98.9 %, 0.0015", "25, 98.9 %, 0.0049"],
];

const lossKind = () => {
  const kind = subject()?.config.loss;
  return kind in LOSSES ? kind : "nonsaturating";
};

const value = (name) => metric("train", name) ?? metric("monitor", name) ?? metric("test", name);

function build() {
  const kind = lossKind();
  const live = liveLosses();
  const origin = h("p", { class: "mon-unit" });
  const facts = h("p");
  const now = h("div", { class: "mon-now" }, origin, live.elements, facts);
  const parts = [
    part("gan_game", text("lab.help.game"), gameFormulae(), text("lab.help.best")),
    part("gan_losses", text(`lab.help.losses_${kind}`), LOSSES[kind](), now),
    part("gan_collapse", text("lab.help.collapse"), remedyFormulae()),
    part("gan_measures", text("lab.help.measures"), coverFormulae(), text("lab.help.floor"), text("lab.help.no_modes")),
    part("published", text("lab.help.published"), published()),
  ];
  return { parts, write: () => write(kind, live, origin, facts) };
}

function write(kind, live, origin, facts) {
  const what = subject();
  const [d, g] = AT_REST[kind];
  setText(origin, what ? t(runShown() ? "lab.help.now_run" : "lab.help.now_checkpoint", { name: what.shown.title || what.shown.name }) : "");
  live.set({
    d: number(value("discriminator/loss") ?? value("loss")), g: number(value("generator/loss")),
    dRest: number(d), gRest: number(g),
  });
  setText(facts, told().join(" "));
}

/** What this run has reached, in sentences. */
function told() {
  const sentences = [];
  const strict = value("modes_strict");
  if (strict != null) {
    sentences.push(t("lab.help.fact_modes", {
      strict, loose: value("modes_covered"), good: number(100 * value("high_quality_share")), kl: number(value("reverse_kl_nats")),
    }));
  }
  if (value("js_nats") != null) sentences.push(t("lab.help.fact_js", { js: number(value("js_nats")) }));
  const [real, fake] = [value("discriminator/accuracy_real"), value("discriminator/accuracy_fake")];
  if (real != null && fake != null) sentences.push(t("lab.help.fact_accuracy", { real: number(100 * real), fake: number(100 * fake) }));
  return sentences;
}

function published() {
  const table = h("table", { class: "mon-published" });
  const head = ["method", "ring", "grid"].map((key) => h("th", { scope: "col" }, t(`lab.help.column_${key}`)));
  const rows = PUBLISHED.map(([key, ring, grid]) =>
    h("tr", {}, h("th", { scope: "row" }, t(`lab.help.method_${key}`)), [ring, grid].map((cell) => h("td", { class: "play-number" }, cell))));
  fill(table, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows));
  return h("div", { class: "mon-scroll" }, table);
}

export const HELP = {
  terms: [
    "generator", "discriminator", "noise", "mode", "mode_collapse", "packing", "minibatch_std", "r1", "nonsaturating",
    "reverse_kl", "js", "nats", "loss", "gradient", "learning_rate", "checkpoint", "speed",
  ],
  summary: () => t("lab.help.what"),
  kind: lossKind,
  build,
};
