/** The curves and numbers of the CycleGAN tab. */

import { subject } from "./curves_history.js";
import { WAYS, restOf } from "./crossing_terms.js";
import { state, t } from "./store.js";

const WAY_COLOURS = { a2b: "--cy-forward", b2a: "--cy-back" };

/** Names of the domains of what is shown. */
export function domainsNow() {
  const found = state.catalogue.datasets.find((d) => d.key === subject()?.dataset)?.domains;
  return found?.length === 2 ? found : ["A", "B"];
}

const target = (way) => () => t("cyclegan.line_to", { domain: domainsNow()[way === "a2b" ? 1 : 0] });
const judge = (domain) => () => t("cyclegan.line_judge", { domain: domainsNow()[domain === "a" ? 0 : 1] });

/** One loss in both directions. */
const ways = (loss, more) => WAYS.map((way) => ({ metric: `${way}/${loss}`, colour: WAY_COLOURS[way], name: target(way), ...more }));

const rest = () => [{ value: restOf(subject()?.config.loss), text: t("cyclegan.rest_line") }];

/** How often one discriminator is right. */
const accuracy = (domain) => ({
  key: `cyclegan_accuracy_${domain}`, height: 72, range: [0, 1], slow: true, alerts: [],
  lines: [
    { metric: `discriminator_${domain}/accuracy_real`, splits: ["train"], colour: "--mon-real", name: () => t("cyclegan.line_real") },
    { metric: `discriminator_${domain}/accuracy_fake`, splits: ["train"], colour: "--mon-generated", name: () => t("cyclegan.line_fake") },
  ],
});

export const CHARTS = [
  { key: "cyclegan_cycle", height: 112, zero: true, lines: ways("cycle"), alerts: ["diverged"] },
  { key: "cyclegan_validity", height: 92, zero: true, range: [0, 0.5], lines: ways("validity"), reference: rest, alerts: [] },
  { key: "cyclegan_identity", height: 92, zero: true, lines: ways("identity"), alerts: [] },
  { key: "cyclegan_l1", height: 92, zero: true, lines: ways("l1"), alerts: [] },
  {
    key: "cyclegan_discriminators", height: 72, zero: true, slow: true, alerts: [],
    lines: ["b", "a"].map((domain) => ({
      metric: `discriminator_${domain}/loss`, splits: ["train"], colour: WAY_COLOURS[domain === "b" ? "a2b" : "b2a"], name: judge(domain),
    })),
  },
  accuracy("b"),
  accuracy("a"),
  {
    key: "cyclegan_gradient", height: 72, slow: true, alerts: [],
    lines: [
      { metric: "generators/grad_norm", colour: "--mon-generated", name: () => t("cyclegan.line_generators") },
      { metric: "discriminators/grad_norm", colour: "--mon-discriminator", name: () => t("cyclegan.line_discriminators") },
    ],
  },
  { key: "learning_rate", metric: "learning_rate", colour: "--mon-plain", height: 60, zero: true, slow: true, alerts: [] },
  { key: "speed", metric: "steps_per_s", zero: true, slow: true, colour: "--mon-plain", height: 60, alerts: [] },
];

/** Both directions of a number, one row each. */
const rows = (key, metric, more) => WAYS.map((way) => ({ key: `cyclegan_${key}_${way}`, metric: `${way}/${metric}`, ...more }));

export const ROWS = [
  ...rows("cycle", "cycle", { colour: "--mon-reconstruction" }),
  ...rows("identity", "identity", { colour: "--mon-kl" }),
  ...rows("l1", "l1"),
  ...rows("validity", "validity", { colour: "--mon-discriminator" }),
];

/** Further facts of a saved model in the list: how often the true partner is found among all. */
export function facts({ metrics }) {
  const found = Object.entries(metrics ?? {}).filter(([name]) => /(^|\/)retrieval_top1\//.test(name)).map(([, value]) => value);
  return found.length ? [t("cyclegan.fact_retrieval", { values: found.map((v) => Math.round(100 * v)).join(" / ") })] : [];
}
