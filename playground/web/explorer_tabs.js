// The panels under the map, as tabs: arrows, Home and End move between them.

import { h } from "./explorer_dom.js";
import { idOf } from "./store.js";

export class Tabs {
  /**
   * @param {string} label
   * @param {Array<{key: string, title: string, panel: {element: HTMLElement, refresh?: Function}}>} items
   */
  constructor(label, items) {
    this.items = items;
    this.buttons = items.map(({ key, title }, i) => h("button", {
      type: "button", role: "tab", id: idOf(`tab-${key}`), "aria-controls": idOf(`panel-${key}`), onclick: () => this.choose(key),
      onkeydown: (event) => this.#key(event, i),
    }, title));
    this.panels = items.map(({ key, panel }) =>
      h("div", { role: "tabpanel", id: idOf(`panel-${key}`), "aria-labelledby": idOf(`tab-${key}`), class: "x-panel" }, panel.element));
    this.list = h("div", { class: "play-tabs", role: "tablist", "aria-label": label }, this.buttons);
    this.element = h("section", { class: "play-card x-below" }, this.list, this.panels);
    this.choose(items[0].key);
  }

  /** Show one panel; it brings itself up to date when it has waited unseen. */
  choose(key) {
    if (this.chosen === key) return;
    this.chosen = key;
    this.items.forEach((item, i) => {
      const on = item.key === key;
      this.buttons[i].setAttribute("aria-selected", String(on));
      this.buttons[i].tabIndex = on ? 0 : -1;
      this.panels[i].hidden = !on;
      item.panel.shown?.(on);
    });
  }

  #key(event, i) {
    const last = this.items.length - 1;
    const next = { ArrowRight: i === last ? 0 : i + 1, ArrowLeft: i === 0 ? last : i - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(this.items[next].key);
    this.buttons[next].focus();
  }
}

/**
 * What a panel needs to stay up to date only while it is seen: `ask()` fetches and shows.
 * @param {import("./explorer_space.js").Space} space
 * @param {() => Promise<void>|void} ask
 * @param {{live?: boolean, base?: boolean}} [when] also while a run trains; also off the plane
 */
export function freshness(space, ask, { live = false, base = false } = {}) {
  let stale = true;
  let seen = false;
  const touch = () => {
    stale = true;
    if (seen && space.status === "ready" && !space.past) {
      stale = false;
      ask();
    }
  };
  space.on("space", touch);
  space.on("weights", (weights) => { if (!weights.live || live) touch(); });
  if (base) space.on("point", touch);
  return {
    touch,
    shown: (on) => {
      seen = on;
      if (on && stale) touch();
    },
  };
}
