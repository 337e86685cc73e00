// The classes and their colours; a press hides or shows one, a second press on "only" isolates it.

import { h, press } from "./explorer_dom.js";
import { classColor } from "./map_plot.js";
import { emit, t } from "./store.js";

export class Legend {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {(hidden: Set<number>) => void} onchange
   */
  constructor(space, onchange) {
    Object.assign(this, { space, onchange });
    this.hidden = new Set();
    this.element = h("div", { class: "x-legend", role: "group", "aria-label": t("explorer.legend") });
    space.on("space", () => this.#newSpace());
    space.on("cloud", () => { if (this.#labels().length !== this.buttons?.size) this.#build(); });
  }

  #newSpace() {
    const names = this.space.classNames.join();
    if (names !== this.names) this.hidden.clear();
    this.names = names;
    this.#build();
  }

  #labels() {
    const named = this.space.classNames.map((_, label) => label);
    return named.length ? named : [...this.space.cloud.classes().keys()];
  }

  #build() {
    this.buttons = new Map(this.#labels().map((label) => [label, h("button", {
      type: "button", class: "x-class", "aria-pressed": String(!this.hidden.has(label)), title: t("explorer.legend_hint"),
      onclick: (event) => (event.detail > 1 ? this.#only(label) : this.#toggle(label)),
    }, h("i", { class: "x-dot", style: { background: classColor(label) } }), this.space.className(label))]));
    this.element.replaceChildren(...this.buttons.values());
  }

  #toggle(label) {
    if (this.hidden.has(label)) this.hidden.delete(label);
    else this.hidden.add(label);
    this.#tell();
  }

  /** A double press shows one class alone, or all again. */
  #only(label) {
    const others = this.#labels().filter((other) => other !== label);
    const alone = others.every((other) => this.hidden.has(other));
    this.hidden = new Set(alone ? [] : others);
    this.#tell();
  }

  #tell() {
    emit("tried", { what: "legend" });
    this.set(this.hidden);
    this.onchange(this.hidden);
  }

  /** Show which classes are hidden. */
  set(hidden) {
    this.hidden = new Set(hidden);
    for (const [label, element] of this.buttons ?? []) press(element, !this.hidden.has(label));
  }
}
