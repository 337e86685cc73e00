/** The formulae of the game in their right form, and the numbers of this run put in. */

import { formula, frac, minus, row, slot, sub, subsup, sup, words } from "./help_math.js";
import { t } from "./store.js";

const GAP = "\u2003";
const D = (...inside) => row("D", "(", ...inside, ")");
const real = () => D("x");
const fake = () => D("G", "(", "z", ")");
const mean = (over, ...inside) => row(sub("𝔼", over), "[", ...inside, "]");
const log = (...inside) => row("log", "~", ...inside);
const not = (inside) => row("(", "1", "−", inside, ")");
const square = (...inside) => row("(", ...inside, sup(")", "2"));
const half = () => frac("1", "2");
const loss = (who) => sub("L", who);

/** What both play for, and where the game is at rest. */
export function gameFormulae() {
  return [
    formula(t("lab.math.game"), sub("min", "G"), "~", sub("max", "D"), "~", mean("x", log(real())), "+", mean("z", log(not(fake())))),
    formula(t("lab.math.best"), row(sup("D", "*"), "(", "x", ")"), "=",
      frac(row(sub("p", words("data")), "(", "x", ")"), row(sub("p", words("data")), "(", "x", ")", "+", sub("p", "G"), "(", "x", ")"))),
  ];
}

/** The two losses that training minimises, for each kind of loss. */
export const LOSSES = {
  nonsaturating: () => [crossEntropy(), formula(t("lab.math.loss_g"), loss("G"), "=", minus(), mean("z", log(fake())))],
  minimax: () => [crossEntropy(), formula(t("lab.math.loss_g"), loss("G"), "=", mean("z", log(not(fake()))))],
  least_squares: () => [
    formula(t("lab.math.loss_d"), loss("D"), "=", half(), mean("x", square(real(), "−", "1")), "+", half(), mean("z", row("D", sup(row("(", "G", "(", "z", ")", ")"), "2")))),
    formula(t("lab.math.loss_g"), loss("G"), "=", half(), mean("z", square(fake(), "−", "1"))),
  ],
  wgan_gp: () => [
    formula(t("lab.math.loss_d"), loss("D"), "=", mean("z", fake()), "−", mean("x", real()), "+", "λ", "~",
      mean(sub("x", "u"), square("‖", sub("∇", sub("x", "u")), D(sub("x", "u")), sub("‖", "2"), "−", "1"))),
    formula(t("lab.math.between"), sub("x", "u"), "=", "u", "~", "x", "+", not("u"), "~", "G", "(", "z", ")", ",", words(GAP), "u", "∼", "U", "(", "0", ",", "1", ")"),
    formula(t("lab.math.loss_g"), loss("G"), "=", minus(), mean("z", fake())),
  ],
};

function crossEntropy() {
  return formula(t("lab.math.loss_d"), loss("D"), "=", minus(), mean("x", log(real())), "−", mean("z", log(not(fake()))));
}

/** R1 and packing: what two of the remedies change. */
export function remedyFormulae() {
  return [
    formula(t("lab.math.packing"), D(sub("x", "1"), ",", "…", ",", sub("x", "m")), words(GAP), words(t("lab.math.against")), words(GAP),
      D("G", "(", sub("z", "1"), ")", ",", "…", ",", "G", "(", sub("z", "m"), ")")),
    formula(t("lab.math.r1"), sub("L", words("R1")), "=", frac("γ", "2"), "~", mean("x", row("‖", "∇", real(), subsup("‖", "2", "2")))),
  ];
}

/** How covering is measured. */
export function coverFormulae() {
  return [
    formula(t("lab.math.reverse_kl"), words(t("lab.math.reverse_kl_word")), "=", "ln", "~", "K", "−", "H", ",", words(GAP),
      "H", "=", minus(), sub("∑", "k"), sub("q", "k"), "~", "ln", "~", sub("q", "k")),
  ];
}

/**
 * The losses of this run now, beside what they are when D cannot tell.
 * @returns {{elements: HTMLElement[], set: (values: Object<string, string>) => void}}
 */
export function liveLosses() {
  const [d, g, dRest, gRest] = [slot(), slot(), slot(), slot()];
  const line = (label, who, now, rest) =>
    formula(label, loss(who), "=", now.node, words(`\u2003${t("lab.math.at_rest")}\u2002`), rest.node);
  const elements = [line(t("lab.math.loss_d"), "D", d, dRest), line(t("lab.math.loss_g"), "G", g, gRest)];
  return { elements, set: (v) => { for (const [name, place] of Object.entries({ d, g, dRest, gRest })) place.set(v[name] ?? "–"); } };
}

/** Losses at D(x) = D(G(z)) = 1/2; a Wasserstein critic's are 0 there, but for its penalty. */
export const AT_REST = {
  nonsaturating: [2 * Math.LN2, Math.LN2], minimax: [2 * Math.LN2, -Math.LN2], least_squares: [0.25, 0.125], wgan_gp: [0, 0],
};
