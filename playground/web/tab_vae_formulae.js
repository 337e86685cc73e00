/** The formulae of AE and VAE in their right form, with the numbers of this model put in. */

import { t } from "./store.js";
import { formula, frac, minus, row, slot, sub, subsup, sum, sup, words } from "./help_math.js";

const q = () => row(sub("q", "ϕ"), "(", "z", "|", "x", ")");
const p = () => row(sub("p", "θ"), "(", "x", "|", "z", ")");
const normal = (...inside) => row("𝒩", "(", ...inside, ")");
const prior = () => normal("0", ",", "I");

/** Encoder, the draw of z, decoder. */
export function modelFormulae() {
  return [
    formula(t("lessons.math.encoder"), q(), "=",
      normal(row(sub("μ", "ϕ"), "(", "x", ")"), ",", row("diag", "~", subsup("σ", "ϕ", "2"), "(", "x", ")"))),
    formula(t("lessons.math.draw"), "z", "=", "μ", "+", sup("e", [frac("1", "2"), "log", "~", sup("σ", "2")]), "⊙", "ε",
      ",", words("\u2003"), "ε", "∼", prior()),
    formula(t("lessons.math.decoder"), "log", "~", p(), "=", sum("i"), "log", "~", sub("p", "θ"), "(", sub("x", "i"), "|", "z", ")"),
  ];
}

/** The plain autoencoder: a code without a distribution. */
export function plainFormulae() {
  return [
    formula(t("lessons.math.plain"), "z", "=", sub("f", "ϕ"), "(", "x", ")", ",", words("\u2003"),
      words(t("lessons.math.reconstruction_word")), "=", minus(), sum("i"), "log", "~", sub("p", "θ"), "(", sub("x", "i"), "|", "z", ")"),
  ];
}

/** The bound and its two terms. */
export function boundFormulae() {
  return [
    formula(t("lessons.math.bound"), "log", "~", sub("p", "θ"), "(", "x", ")", "≥",
      words("ELBO"), "=", minus(), "(", words(t("lessons.math.reconstruction_word")), "+", words("KL"), ")"),
    formula(t("lessons.math.reconstruction"), words(t("lessons.math.reconstruction_word")), "=", minus(),
      sub("𝔼", q()), sum("i"), "log", "~", sub("p", "θ"), "(", sub("x", "i"), "|", "z", ")"),
    formula(t("lessons.math.kl"), words("KL"), "=", minus(), frac("1", "2"), sum("j"),
      "(", "1", "+", "log", "~", subsup("σ", "j", "2"), "−", subsup("μ", "j", "2"), "−", subsup("σ", "j", "2"), ")"),
  ];
}

/** The importance-weighted bound. */
export function iwaeFormula() {
  return formula(t("lessons.math.iwae"), sub(words("IWAE"), "k"), "=", sub("𝔼", row(sub("z", "1"), "…", sub("z", "k"), "∼", "q")),
    "log", "~", frac("1", "k"), sum([row("i", "=", "1")], "k"),
    frac(row("p", "(", "x", ",", sub("z", "i"), ")"), row("q", "(", sub("z", "i"), "|", "x", ")")));
}

/**
 * ELBO = −(reconstruction + KL) with this model's numbers.
 * @returns {{element: HTMLElement, set: (values: Object<string, string>) => void}}
 */
export function liveBound() {
  const [elbo, reconstruction, kl] = [slot(), slot(), slot()];
  const element = formula(t("lessons.math.bound"), words("ELBO"), "=", minus(), "(", reconstruction.node, "+", kl.node, ")",
    "=", elbo.node, words("\u00a0nats"));
  return { element, set: (v) => fillSlots({ elbo, reconstruction, kl }, v) };
}

/** What training minimises: reconstruction + beta times KL, with numbers. */
export function liveLoss() {
  const [loss, reconstruction, beta, kl] = [slot(), slot(), slot(), slot()];
  const form = formula(t("lessons.math.loss"), words(t("lessons.math.loss_word")), "=",
    words(t("lessons.math.reconstruction_word")), "+", "β", "⋅", words("KL"));
  const now = formula(t("lessons.math.loss"), words(t("lessons.math.loss_word")), "=", reconstruction.node, "+", beta.node, "⋅", kl.node, "=", loss.node, words("\u00a0nats"));
  return { elements: [form, now], set: (v) => fillSlots({ loss, reconstruction, beta, kl }, v) };
}

function fillSlots(slots, values) {
  for (const [name, place] of Object.entries(slots)) place.set(values[name] ?? "–");
}
