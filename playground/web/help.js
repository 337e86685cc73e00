/** "How it works": what the tab explains with this model's numbers, its terms, the keys. */

import { on, own, t } from "./store.js";
import { ensureStyles, fill, h, paced, setText } from "./curves_dom.js";
import { onHistory } from "./curves_history.js";
import { part } from "./help_parts.js";

const KEYS = ["space", "right", "help", "curve", "curve_far", "curve_end", "timeline"];
const WRITE_MS = 400;

/** Mount the fold. @param {HTMLElement} element */
export function mount(element) {
  ensureStyles();
  new Help(element);
}

class Help {
  constructor(element) {
    this.summary = h("span", { class: "mon-what" });
    this.body = h("div", { class: "mon-help" });
    this.root = h("details", { class: "mon-help-fold play-card" },
      h("summary", {}, h("b", {}, t("lessons.help.title")), " ", this.summary), this.body);
    fill(element, this.root);
    this.built = null; // what the body explains: {kind, write}
    this.write = paced(() => this.#write(), WRITE_MS);
    this.root.addEventListener("toggle", () => this.#write());
    for (const type of ["reset", "source", "catalogue"]) on(type, () => this.write());
    onHistory(() => this.root.open && this.write());
    this.#write();
  }

  #write() {
    const { HELP } = own;
    setText(this.summary, HELP.summary());
    if (!this.root.open) return; // nothing is built or written for a closed fold
    const kind = HELP.kind?.() ?? null;
    if (!this.built || this.built.kind !== kind) this.#build(kind);
    this.built.write();
  }

  #build(kind) {
    const { parts, write } = own.HELP.build();
    this.built = { kind, write };
    fill(this.body, h("div", { class: "mon-help-parts" }, parts, keys()), glossary(own.HELP.terms));
  }
}

function glossary(terms) {
  return part("glossary", h("dl", { class: "mon-glossary" }, terms.map((key) => h("div", { class: "mon-entry" },
    h("dt", {}, t(`lessons.term.${key}`)), h("dd", {}, t(`lessons.meaning.${key}`))))));
}

function keys() {
  return part("keys", h("dl", { class: "mon-glossary mon-keys" }, KEYS.map((key) => [
    h("dt", {}, t(`lessons.key.${key}`).split(" ").map((k) => [h("kbd", {}, k), " "])),
    h("dd", {}, t(`lessons.key.${key}_does`)),
  ])));
}
