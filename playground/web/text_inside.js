// Inside a language model: where it looks, what its units follow, what it expects layer by layer,
// where its tokens lie, how far back it reaches. One text is looked at in all of these.

import { choice, debounce, ensureStyles, errorLine, h, paced, setText } from "./explorer_dom.js";
import { button, fill } from "./dom.js";
import { buildActivity } from "./text_inside_activity.js";
import { buildAttention } from "./text_inside_attention.js";
import { buildEmbeddings } from "./text_inside_embeddings.js";
import { buildLens } from "./text_inside_lens.js";
import { buildContext, buildReach } from "./text_inside_reach.js";
import { emit, t } from "./store.js";

/** `text`: it is about the text above; `live`: looked at again and again while a run trains. */
const VIEWS = {
  attention: { build: buildAttention, families: ["gpt"], text: true, live: true },
  activity: { build: buildActivity, families: ["rnn", "gpt"], text: true, live: true },
  lens: { build: buildLens, families: ["gpt"], text: true, live: true },
  embeddings: { build: buildEmbeddings, families: ["rnn", "gpt"], live: true },
  reach: { build: buildReach, families: ["rnn", "gpt"] },
  context: { build: buildContext, families: ["gpt", "rnn", "ngram"] },
};
const KEYS = Object.keys(VIEWS);
const TYPED_MS = 350;
const LIVE_MS = 3000; // what is asked of a run takes its time
const LONGEST = 1000; // characters of one's own text
const LEAST = 24; // characters of the box's text that are worth looking at
const TOKENS = 90; // of the box's text, or fewer: as many as the model sees
const EACH = { characters: 1, byte_pairs: 3 }; // characters of a token, about

export const buildInside = (lab) => new Inside(lab);

class Inside {
  constructor(lab) {
    Object.assign(this, { lab, views: {}, stale: new Set(KEYS), filled: new Set(), chosen: null, typed: null, seen: false, family: undefined });
    ensureStyles("text_inside.css");
    this.#build();
    this.typedLater = debounce(() => this.#textChanged(), TYPED_MS);
    this.refresh = paced(() => this.#touch(KEYS.filter((key) => VIEWS[key].live), true), LIVE_MS);
    lab.on("space", () => this.#space());
    lab.on("status", () => this.#load());
    lab.on("weights", ({ live }) => (live ? this.refresh() : this.#touch(KEYS)));
    lab.on("text", () => { if (this.typed === null) this.#textChanged(); });
    this.#space();
  }

  #build() {
    this.which = choice({
      label: t("text_training.inside.views"), value: null, options: KEYS.map((key) => [key, t(`text_training.inside.view_${key}`)]), onchange: (key) => this.choose(key),
    });
    this.which.element.classList.add("ti-views");
    this.input = h("textarea", {
      class: "ti-input", rows: "2", maxlength: String(LONGEST), spellcheck: "false", "aria-label": t("text_training.inside.text"),
      oninput: () => { this.typed = this.input.value; this.typedLater(); }, onkeydown: (event) => event.stopPropagation(),
    });
    this.back = button(t("text_training.inside.text_of_box"), () => this.#boxAgain(), { kind: "small quiet" });
    this.field = h("div", { class: "ti-field" }, this.input, this.back);
    this.what = h("p", { class: "ti-what" });
    this.failure = errorLine();
    this.notes = h("p", { class: "play-note" });
    this.none = h("p", { class: "play-note ti-none" });
    this.place = h("div", { class: "ti-view" });
    this.element = h("div", { class: "x-stack ti-inside" }, this.which.element, this.field, this.what, this.failure.element, this.none, this.place, this.notes);
  }

  /** Ask about the text, or about the model alone; null when it is out of date by now. */
  async look(view, args = {}) {
    const about = VIEWS[this.chosen]?.text ? { text: this.#text() } : {};
    const answer = await this.lab.ask(view, { ...about, ...args }, `inside-${view}`);
    if (!answer) return null;
    const { none } = answer.values;
    this.place.hidden = Boolean(none);
    setText(this.none, none ?? "");
    return none ? null : answer;
  }

  /** The end of the box's text, from the beginning of a word on, unless the person has typed one. */
  #text() {
    if (this.typed?.trim()) return this.typed;
    const written = this.lab.text.trim().length < LEAST ? t("text_training.inside.sample") : this.lab.text;
    const { tokenizer, context = TOKENS } = this.lab.config ?? {};
    const most = Math.min(TOKENS, context) * (EACH[tokenizer] ?? EACH.byte_pairs);
    if (written.length <= most) return written;
    const tail = written.slice(-most);
    const word = tail.search(/\s/);
    return word >= 0 && word < most / 2 ? tail.slice(word + 1) : tail;
  }

  #boxAgain() {
    this.typed = null;
    this.#textChanged();
  }

  #textChanged() {
    this.#writeText();
    this.#touch(KEYS.filter((key) => VIEWS[key].text));
  }

  #writeText() {
    this.back.hidden = this.typed === null;
    if (this.typed !== null || document.activeElement === this.input) return;
    this.input.value = this.#text();
  }

  // ---- which view -----------------------------------------------------------------------------------

  /** Another model: it may have other views. */
  #space() {
    const { model } = this.lab;
    this.failure.clear();
    setText(this.notes, "");
    for (const view of Object.values(this.views)) view.clear();
    this.filled.clear();
    this.#writeText();
    this.#mark();
    this.#touch(KEYS);
    if (model === this.family) return;
    this.family = model;
    KEYS.forEach((key, i) => { this.which.element.children[i].hidden = !VIEWS[key].families.includes(model ?? "gpt"); });
    if (!VIEWS[this.chosen]?.families.includes(model ?? "gpt")) this.choose(KEYS.find((key) => VIEWS[key].families.includes(model ?? "gpt")), false);
  }

  choose(key, byPerson = true) {
    this.chosen = key;
    this.views[key] ??= VIEWS[key].build(this);
    this.which.set(key);
    this.field.hidden = !VIEWS[key].text;
    setText(this.what, t(`text_training.inside.what_${key}${this.lab.model === "ngram" ? "_ngram" : ""}`));
    fill(this.place, this.views[key].element);
    this.#mark();
    this.failure.clear();
    this.#load();
    if (byPerson) emit("tried", { what: `inside_${key}` });
  }

  shown(on) {
    this.seen = on;
    if (on) this.#writeText();
    this.#load();
  }

  #touch(keys, quietly = false) {
    for (const key of keys) this.stale.add(key);
    this.#load(quietly);
  }

  async #load(quietly = false) {
    const { lab, chosen } = this;
    if (!this.seen || lab.status !== "ready" || lab.past || !this.stale.has(chosen)) return;
    this.stale.delete(chosen);
    if (!quietly) this.place.setAttribute("aria-busy", "true");
    await this.attempt(() => this.views[chosen].load());
    this.filled.add(chosen);
    this.#mark();
    this.place.removeAttribute("aria-busy");
  }

  /** A view that has nothing to show yet is a place that is being filled. */
  #mark() {
    this.place.classList.toggle("waiting", !this.filled.has(this.chosen));
  }

  /** Do something that may be refused; the sentence stands above the view. */
  async attempt(act) {
    try {
      const answer = await act();
      this.failure.clear();
      if (!answer) return;
      setText(this.notes, (answer.values.notes ?? []).join(" "));
    } catch (error) {
      this.failure.show(error);
    }
  }
}
