// The tokenizer: a text split as one types, and how byte pairs grow into the pieces that are seen.

import { debounce, ensureStyles, errorLine, h, setText } from "./explorer_dom.js";
import { number, whole } from "./curves_format.js";
import { button, fill } from "./dom.js";
import { freshness } from "./explorer_tabs.js";
import { Merges } from "./text_tokens_merges.js";
import { visible } from "./text_words.js";
import { emit, t } from "./store.js";

const TYPED_MS = 120;
const LONGEST = 4000;
const TAIL = 400; // characters of the box's text
const MERGES = 8192;
const HUES = 6; // neighbouring tokens never have the same

export const buildTokens = (lab) => new TokensView(lab);

class TokensView {
  constructor(lab) {
    Object.assign(this, { lab, typed: null, values: null, merges: null, marked: null });
    ensureStyles("text_inside.css");
    this.#build();
    this.soon = debounce(() => this.#ask(), TYPED_MS);
    this.fresh = freshness(lab, () => this.#ask());
    lab.on("space", () => { this.merges = null; this.failure.clear(); this.element.setAttribute("aria-busy", "true"); });
    lab.on("status", () => this.fresh.shown(this.seen));
    lab.on("text", () => { if (this.typed === null) this.fresh.touch(); });
  }

  #build() {
    this.input = h("textarea", {
      class: "ti-input", rows: "4", maxlength: String(LONGEST), spellcheck: "false", "aria-label": t("text_training.tokens.text"),
      oninput: () => { this.typed = this.input.value; this.soon(); }, onkeydown: (event) => event.stopPropagation(),
    });
    this.back = button(t("text_training.inside.text_of_box"), () => { this.typed = null; this.#ask(); }, { kind: "small quiet" });
    this.ids = h("input", { type: "checkbox", onchange: () => this.tokens.classList.toggle("ids", this.ids.checked) });
    this.tokens = h("div", { class: "ti-chips", role: "list", "aria-label": t("text_training.tokens.list"), onpointerover: (event) => this.#mark(event), onclick: (event) => this.#mark(event, true), onpointerleave: () => this.#mark(null) });
    this.counts = h("dl", { class: "ti-counts" });
    this.failure = errorLine();
    this.notes = h("p", { class: "play-note" });
    this.what = h("p", { class: "ti-what" });
    this.pieces = new Merges();
    this.element = h("div", { class: "x-stack ti-tokens" }, this.what, h("div", { class: "ti-field" }, this.input, this.back), this.failure.element,
      h("div", { class: "x-line" }, this.counts, h("i", { class: "ti-spacer" }), h("label", { class: "x-field" }, this.ids, h("span", {}, t("text_training.tokens.show_ids")))),
      this.tokens, this.notes, this.pieces.element);
  }

  shown(on) {
    this.seen = on;
    this.fresh.shown(on);
  }

  #text() {
    if (this.typed !== null) return this.typed;
    return (this.lab.text.trim() ? this.lab.text : t("text_training.inside.sample")).slice(-TAIL);
  }

  async #ask() {
    const text = this.#text();
    this.back.hidden = this.typed === null;
    if (this.typed === null) this.input.value = text;
    if (!text) return this.#nothing();
    try {
      const answer = await this.lab.ask("tokenise", { text, ...(this.merges ? {} : { merges: MERGES }) }, "tokenise");
      if (!answer) return;
      this.failure.clear();
      this.#take(answer.values, text);
    } catch (error) {
      this.failure.show(error);
    }
    this.element.removeAttribute("aria-busy");
  }

  #nothing() {
    fill(this.tokens);
    this.#count(0, 0, this.values?.vocabulary);
  }

  #take(values, text) {
    this.values = values;
    const { pieces, ids, kind, bytes, vocabulary } = values;
    if (values.merges) {
      this.merges = values.merges;
      this.pieces.set(kind, values.merges, values.merges_total ?? values.merges.length);
      setText(this.what, t(`text_training.tokens.what_${kind}`, { n: whole(vocabulary) }));
    }
    fill(this.tokens, pieces.map((piece, i) => [chip(piece, ids[i], bytes?.[i], i), piece.includes("\n") ? h("br") : null]));
    this.#count([...text].length, ids.length, vocabulary);
    setText(this.notes, (values.notes ?? []).join(" "));
    if (this.typed !== null) emit("tried", { what: "tokenised", tokens: ids.length, characters: [...text].length, kind });
    this.pieces.word(this.#hexOf(this.#longest()));
  }

  #hexOf(i) {
    return this.values.bytes?.[i] ?? hexOf(this.values.pieces[i] ?? "");
  }

  /** The token of most characters: the one whose history says most. */
  #longest() {
    const sizes = this.values.pieces.map((piece) => piece.length);
    return sizes.indexOf(Math.max(...sizes));
  }

  #count(characters, tokens, vocabulary) {
    const entries = { characters: whole(characters), count: whole(tokens), each: tokens ? number(characters / tokens) : "–", vocabulary: whole(vocabulary) };
    fill(this.counts, Object.entries(entries).map(([key, value]) => h("div", {}, h("dt", {}, t(`text_training.tokens.${key}`)), h("dd", { class: "play-number" }, value))));
  }

  /** Show how the token under the pointer was put together. */
  #mark(event, byPerson = false) {
    const token = event?.target.closest?.("[data-i]");
    if (!token || !this.values) return;
    this.pieces.word(this.#hexOf(Number(token.dataset.i)));
    if (byPerson) emit("tried", { what: "merges" });
  }
}

function chip(piece, id, bytes, i) {
  const silent = piece === "";
  const text = silent && bytes ? bytes.toUpperCase().match(/../g).join(" ") : visible(piece);
  return h("span", { class: `ti-chip hue-${i % HUES}${silent ? " silent" : ""}`, role: "listitem", dataset: { i }, title: t("text_training.tokens.chip", { id }) }, h("span", {}, text), h("small", {}, String(id)));
}

const hexOf = (text) => [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
