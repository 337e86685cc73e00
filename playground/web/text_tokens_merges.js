// Merges of a byte-pair tokenizer: in the order in which they were learnt, and applied to a word.

import { h, setText } from "./explorer_dom.js";
import { whole } from "./curves_format.js";
import { fill } from "./dom.js";
import { visible } from "./text_words.js";
import { t } from "./store.js";

const PAGE = 60; // merges in sight
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Bytes in hex as text, or as they are when they are no whole characters. */
function textOf(hex) {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  try {
    return visible(decoder.decode(bytes));
  } catch {
    return hex.toUpperCase().match(/../g).join(" ");
  }
}

export class Merges {
  constructor() {
    Object.assign(this, { merges: [], ranks: new Map(), from: 0, filter: "" });
    this.title = h("h4", { class: "x-sub" });
    this.search = h("input", {
      type: "search", class: "x-number ti-find", placeholder: t("text_training.tokens.find"), "aria-label": t("text_training.tokens.find"),
      oninput: () => { this.filter = this.search.value; this.from = 0; this.#draw(); }, onkeydown: (event) => event.stopPropagation(),
    });
    this.list = h("ol", { class: "ti-merges", tabindex: "0", "aria-label": t("text_training.tokens.merges") });
    this.more = h("button", { type: "button", class: "play-button small", onclick: () => { this.from += PAGE; this.#draw(true); } }, t("text_training.tokens.more"));
    this.steps = h("div", { class: "ti-steps", "aria-live": "polite" });
    this.element = h("div", { class: "ti-merging", hidden: true },
      h("section", {}, h("h4", { class: "x-sub" }, t("text_training.tokens.steps")), this.steps),
      h("section", {}, h("div", { class: "x-line" }, this.title, h("i", { class: "ti-spacer" }), this.search), this.list, this.more));
  }

  /** @param {string} kind @param {Array<[string, string]>} merges pairs of bytes in hex @param {number} total */
  set(kind, merges, total) {
    Object.assign(this, { merges, from: 0 });
    this.ranks = new Map(merges.map(([a, b], rank) => [`${a} ${b}`, rank]));
    this.element.hidden = !merges.length;
    setText(this.title, t("text_training.tokens.merges_n", { n: whole(total) }));
    this.#draw();
  }

  #draw(further = false) {
    const wanted = this.filter.replaceAll(" ", "␣");
    const found = this.merges.map(([a, b], rank) => ({ a, b, rank })).filter(({ a, b }) => !wanted || textOf(a + b).includes(wanted));
    const shown = found.slice(this.from, this.from + PAGE).map(({ a, b, rank }) => h("li", { value: rank + 1 },
      h("span", { class: "play-number" }, whole(rank + 1)), h("b", { class: "ti-piece" }, textOf(a)), " + ", h("b", { class: "ti-piece" }, textOf(b)), " → ", h("b", { class: "ti-piece made" }, textOf(a + b))));
    if (further) this.list.append(...shown);
    else fill(this.list, shown);
    this.more.hidden = found.length <= this.from + PAGE;
  }

  /** Put a token together from its bytes, the merge that was learnt first first. */
  word(hex) {
    if (!this.merges.length || !hex) return;
    let parts = hex.match(/../g);
    const lines = [this.#line(parts, null)];
    for (;;) {
      const ranks = parts.slice(1).map((part, i) => this.ranks.get(`${parts[i]} ${part}`) ?? Infinity);
      const best = Math.min(...ranks, Infinity);
      if (best === Infinity) break;
      const at = ranks.indexOf(best);
      parts = [...parts.slice(0, at), parts[at] + parts[at + 1], ...parts.slice(at + 2)];
      lines.push(this.#line(parts, best, at));
    }
    fill(this.steps, lines);
  }

  #line(parts, rank, made = -1) {
    return h("div", { class: "ti-step" }, parts.map((part, i) => h("b", { class: `ti-piece${i === made ? " made" : ""}` }, textOf(part))),
      h("span", { class: "play-note play-number" }, rank === null ? t("text_training.tokens.bytes") : t("text_training.tokens.merge_n", { n: whole(rank + 1) })));
  }
}
