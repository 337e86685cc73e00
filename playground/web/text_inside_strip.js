// A stretch of text, token by token: each can be coloured, pointed at, and chosen with the arrows.

import { fill } from "./dom.js";
import { h } from "./explorer_dom.js";
import { visible } from "./text_words.js";
import { idOf } from "./store.js";

const SILENT = "·"; // a token that ends inside a character: the next one completes it

/** A token between quotes. */
export const quoted = (piece) => `“${visible(piece)}”`;

/** A token as it stands in running text: blanks stay blanks, a line's end is seen and ends the line. */
const running = (piece) => (piece === "" ? SILENT : piece.replaceAll("\n", "↵\n").replaceAll("\t", "⇥"));

let serial = 0;

export class Strip {
  /**
   * @param {{label: string, onchoose?: (i: number) => void, onpoint?: (i: number|null) => void}} spec
   *   `onpoint` gets the token under the pointer, or null when it leaves
   */
  constructor({ label, onchoose, onpoint }) {
    Object.assign(this, { onchoose, onpoint, tokens: [], pieces: [], chosen: null, pointed: null });
    this.id = idOf(`strip-${(serial += 1)}`);
    this.list = h("div", {
      class: "ti-strip", role: "listbox", tabindex: "0", "aria-label": label, "aria-orientation": "horizontal",
      onpointermove: (event) => event.pointerType === "mouse" && this.#point(indexOf(event)),
      onpointerleave: () => this.#point(null),
      onclick: (event) => this.choose(indexOf(event), true),
      onkeydown: (event) => this.#key(event),
    });
    this.element = h("div", { class: "ti-strip-box" }, this.list);
  }

  set(pieces) {
    const same = pieces.length === this.pieces.length && pieces.every((piece, i) => piece === this.pieces[i]);
    if (same) return;
    this.pieces = pieces;
    this.chosen = this.pointed = null;
    this.tokens = pieces.map((piece, i) => h("span", {
      class: `ti-token${piece.trim() ? "" : " blank"}`, role: "option", id: `${this.id}-${i}`, "aria-selected": "false",
      "aria-label": visible(piece), dataset: { i },
    }, running(piece)));
    fill(this.list, this.tokens);
  }

  /** Colour every token: `colourOf(i)` is a background, or "". */
  paint(colourOf) {
    this.tokens.forEach((token, i) => { token.style.background = colourOf(i); });
  }

  /** Say of every token what its colour says: for screen readers and as a tooltip. */
  say(wordsOf) {
    this.tokens.forEach((token, i) => {
      const words = wordsOf(i);
      token.title = words;
      token.setAttribute("aria-label", `${visible(this.pieces[i])}, ${words}`);
    });
  }

  choose(i, byPerson = false) {
    if (!this.tokens[i]) return;
    this.tokens[this.chosen]?.setAttribute("aria-selected", "false");
    this.chosen = i;
    this.tokens[i].setAttribute("aria-selected", "true");
    this.list.setAttribute("aria-activedescendant", this.tokens[i].id);
    if (byPerson) this.onchoose?.(i);
  }

  /** The boxes of all tokens in the strip's own pixels: where each begins. */
  boxes() {
    const { left, top } = this.element.getBoundingClientRect();
    return this.tokens.map((token) => {
      const box = token.getClientRects()[0] ?? token.getBoundingClientRect();
      return { x: box.left - left + Math.min(box.width, 40) / 2, y: box.top - top, height: box.height };
    });
  }

  #point(i) {
    if (i === this.pointed) return;
    this.pointed = i;
    this.onpoint?.(i);
  }

  #key(event) {
    const last = this.tokens.length - 1;
    const at = this.chosen ?? last;
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(Math.min(Math.max(next, 0), last), true);
    this.tokens[this.chosen]?.scrollIntoView({ block: "nearest" });
  }
}

function indexOf(event) {
  const token = event.target.closest?.(".ti-token");
  return token ? Number(token.dataset.i) : null;
}
