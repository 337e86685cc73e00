/** How the autoencoders work: formulae with this model's numbers, published figures. */

import { state, t } from "./store.js";
import { fill, h, setText } from "./curves_dom.js";
import { number } from "./curves_format.js";
import { metric, runShown, subject } from "./curves_history.js";
import { part, text } from "./help_parts.js";
import {
  boundFormulae, iwaeFormula, liveBound, liveLoss, modelFormulae, plainFormulae,
} from "./tab_vae_formulae.js";

const TERMS = [
  "latent_space", "encoder", "decoder", "prior", "posterior", "elbo", "reconstruction", "kl",
  "nats", "beta", "active_units", "iwae_5", "iwae_50", "binarisation", "collapse", "loss",
  "gradient", "learning_rate", "speed", "checkpoint",
];

const kind = () => (subject()?.model === "ae" ? "ae" : "vae");

export const HELP = {
  terms: TERMS,
  kind,
  summary: () => t(`lessons.help.what_${kind()}`),
  build: () => {
    const help = new Explanation(kind());
    return { parts: help.parts, write: () => help.write() };
  },
};

class Explanation {
  constructor(model) {
    this.model = model;
    this.bound = liveBound();
    this.loss = liveLoss();
    this.origin = h("p", { class: "mon-unit" });
    this.facts = h("p");
    this.rows = h("tbody");
    this.parts = [model === "ae" ? this.#plainParts() : this.#variationalParts(), this.#published()];
  }

  #variationalParts() {
    return [
      part("model", text("lessons.help.model"), modelFormulae(), text("lessons.help.posterior")),
      part("bound", text("lessons.help.bound"), boundFormulae(), text("lessons.help.sums"),
        h("div", { class: "mon-now" }, this.origin, this.bound.element, this.loss.elements, this.facts)),
      part("iwae", text("lessons.help.iwae"), iwaeFormula(), text("lessons.help.active")),
    ];
  }

  #plainParts() {
    return [
      part("plain", text("lessons.help.plain"), plainFormulae(), text("lessons.help.plain_sampling"),
        h("div", { class: "mon-now" }, this.origin, this.facts)),
    ];
  }

  #published() {
    this.sources = h("p", { class: "mon-unit" });
    const head = ["latent_dim", "elbo", "model"].map((key) => h("th", { scope: "col" }, t(`lessons.help.column_${key}`)));
    return part("published", text("lessons.help.published"),
      h("div", { class: "mon-scroll" }, h("table", { class: "mon-published" }, h("thead", {}, h("tr", {}, head)), this.rows)), this.sources);
  }

  // ---- numbers ----

  write() {
    const split = metric("test", "reconstruction_nats") != null ? "test" : "train";
    const get = (name) => metric(split, name);
    const [elbo, reconstruction, kl] = ["elbo_nats", "reconstruction_nats", "kl_nats"].map(get);
    setText(this.origin, this.#originText(split));
    this.bound.set({ elbo: number(elbo), reconstruction: number(reconstruction), kl: number(kl) });
    const beta = metric("train", "beta") ?? subject()?.config.beta ?? null;
    this.loss.set({
      reconstruction: number(reconstruction), beta: number(beta), kl: number(kl),
      loss: kl == null || beta == null ? "–" : number(reconstruction + beta * kl),
    });
    for (const line of this.loss.elements) line.hidden = this.#averaged();
    setText(this.facts, this.#factsText(get));
    this.#writePublished(elbo, split);
  }

  /** With averaged terms the loss is another sum than the one written here. */
  #averaged() {
    const config = subject()?.config ?? {};
    return config.reconstruction_reduction === "mean" || config.kl_reduction === "mean";
  }

  #originText(split) {
    const what = subject();
    if (!what) return "";
    const name = runShown() ? t("lessons.help.now_run") : t("lessons.help.now_checkpoint", { name: what.shown.title || what.shown.name });
    return t("lessons.help.now", { name, split: t(`lessons.help.${split}`) });
  }

  #factsText(get) {
    const facts = [];
    const total = subject()?.config.latent_dim;
    if (get("active_units") != null) facts.push(t("lessons.help.fact_active", { n: get("active_units"), total }));
    if (this.model === "ae") facts.push(...this.#plainFacts(get));
    if (get("iwae_5_nats") != null) {
      facts.push(t("lessons.help.fact_iwae", {
        elbo: number(get("elbo_nats"), 4), five: number(get("iwae_5_nats"), 4), fifty: number(get("iwae_50_nats"), 4),
      }));
    }
    if (this.#averaged()) facts.push(t("lessons.help.fact_averaged"));
    return facts.join(" ");
  }

  #plainFacts(get) {
    const error = get("code_reconstruction_nats") ?? get("reconstruction_nats");
    const facts = [t("lessons.help.fact_reconstruction", { value: number(error) })];
    const elbo = get("elbo_nats");
    return elbo == null ? facts : [...facts, t("lessons.help.fact_as_vae", { value: number(elbo) })];
  }

  #writePublished(elbo, split) {
    const cells = (row) => row.map((cell, i) => h(i ? "td" : "th", i ? { class: i === 1 ? "play-number" : "" } : { scope: "row" }, cell));
    const figures = (state.catalogue.published ?? []).filter((p) => typeof p.elbo_nats === "number");
    const rows = figures.map((p) => [String(p.latent_dim), number(p.elbo_nats, 4), t("lessons.help.converged")]);
    if (this.model === "vae" && elbo != null) {
      rows.push([String(subject().config.latent_dim), number(elbo, 4), t("lessons.help.own", { split: t(`lessons.help.${split}`) })]);
    }
    const key = JSON.stringify(rows);
    if (key === this.listed) return;
    this.listed = key;
    setText(this.sources, t("lessons.help.source", { source: [...new Set(figures.map((p) => p.source))].join("; ") }));
    fill(this.rows, rows.map((row) => h("tr", {}, cells(row))));
  }
}
