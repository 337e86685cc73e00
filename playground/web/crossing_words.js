// What the stage's pictures are called, in words and as formulae, in either direction.

import { t } from "./store.js";

const FORMULAE = {
  a2b: { input: "a", output: "G(a)", cycle: "F(G(a))", residual: "|F(G(a)) − a|", identity: "F(a)", truth: "b", patches: "D(G(a))" },
  b2a: { input: "b", output: "F(b)", cycle: "G(F(b))", residual: "|G(F(b)) − b|", identity: "G(b)", truth: "a", patches: "D(F(b))" },
};

/** The two generators in the order in which a picture passes them. */
export const generators = (direction) => (direction === "a2b" ? ["G", "F"] : ["F", "G"]);

export const formula = (part, direction) => FORMULAE[direction][part];

/** The name of a part; {from} and {to} are the domains. */
export const nameOf = (part, lab) =>
  (part === "input" && lab.chosen.picture ? t("crossing.yours") : t(`crossing.part_${part}`, lab.names()));

/** What a picture shows, for those who do not see it. */
export const altOf = (part, lab) =>
  t(`crossing.alt_${part}`, { ...lab.names(), formula: formula(part, lab.direction), name: chosenName(lab) });

/** What is chosen, by name. */
export function chosenName({ chosen, domains, direction }) {
  if (chosen.picture) return chosen.name ?? t("crossing.your_picture");
  return t("crossing.example_name", { domain: direction === "a2b" ? domains[0] : domains[1], n: chosen.index + 1 });
}
