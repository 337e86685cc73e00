// The box: one sheet on which a person types and the model goes on. The field for typing lies,
// clear, over a mirror of the text that colours each token by how likely it was.

import { afterPaint, h, inFrame } from "./explorer_dom.js";
import { percent } from "./text_words.js";
import { SHADES, leastOf, shade } from "./text_odds.js";
import { idOf, t } from "./store.js";

const AT_END_PX = 40; // so near its end the sheet scrolls along

export class Box {
  /**
   * @param {import("./text_state.js").Writing} lab
   * @param {{write: Function, stop: Function, choose: Function, typed: Function}} calls
   */
  constructor(lab, calls) {
    Object.assign(this, { lab, calls, nodes: [], lit: null, composing: false, begun: null });
    this.#build();
    lab.on("items", () => this.#draw());
    lab.on("added", ({ from }) => this.#append(from));
    lab.on("focus", inFrame(() => this.#light()));
    lab.on("facts", () => this.#fade());
    lab.on("writing", (writing) => { this.begun = writing ? performance.now() : null; });
    for (const type of ["writing", "past", "status"]) lab.on(type, () => this.#state());
    this.#draw();
    this.#state();
  }

  #build() {
    this.mirror = h("div", { class: "tx-mirror", "aria-hidden": "true" });
    this.cursor = h("i", { class: "tx-cursor" });
    this.input = h("textarea", {
      class: "tx-input", rows: 1, spellcheck: "false", autocapitalize: "off", autocomplete: "off",
      "aria-label": t("text.box"), "aria-describedby": idOf("box-help"), placeholder: t("text.placeholder"),
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onkeyup: () => this.#caret(), onblur: () => { this.caret = null; },
      oncompositionstart: () => { this.composing = true; }, oncompositionend: () => { this.composing = false; this.#typed(); },
      onpointerdown: (event) => { this.touch = event.pointerType === "touch"; },
      onmousedown: (event) => { if (this.touch && this.#tokenAt(event) !== null) event.preventDefault(); }, // a finger looks; it does not type
      onpointermove: (event) => { if (event.pointerType !== "touch") this.#hover(event); },
      onclick: (event) => this.#click(event),
    });
    this.sheet = h("div", { class: "tx-sheet" }, this.mirror, this.input);
    this.paper = h("div", { class: "tx-paper tx-box" }, this.sheet);
    const help = h("p", { class: "play-hidden", id: idOf("box-help") }, t("text.box_help"));
    this.element = h("div", { class: "tx-box-place" }, this.paper, help);
  }

  // ---- typing --------------------------------------------------------------------------------------

  #typed() {
    const { lab, input } = this;
    if (this.composing) {
      this.#reflect(input.value);
      return;
    }
    const caret = input.value.slice(0, input.selectionStart).normalize("NFC").length;
    this.calls.typed();
    lab.edit(input.value);
    input.setSelectionRange(caret, caret);
  }

  /** While a character is put together, the mirror only follows. */
  #reflect(text) {
    this.nodes = [];
    this.mirror.replaceChildren(text, this.cursor, "\u200b");
  }

  #key(event) {
    if (event.isComposing) return;
    const ctrl = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && ctrl) this.calls.write();
    else if (event.key === "Escape" && this.lab.writing) this.calls.stop();
    else if (event.key === "Escape") this.lab.pin(null);
    else if (event.key === "ArrowDown" && event.altKey) this.calls.choose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Where the caret stands there is looked; at the end it is what comes next. */
  #caret() {
    const { lab, input } = this;
    const at = input.selectionStart;
    if (at === this.caret || lab.writing || lab.past) return;
    const moved = this.caret != null;
    this.caret = at;
    if (!moved) return;
    let end = 0;
    const index = lab.items.findIndex(({ piece }) => (end += piece.length) > at);
    lab.pin(lab.items[index]?.ids ? index : null);
  }

  // ---- the pointer -----------------------------------------------------------------------------------

  #tokenAt({ clientX, clientY }) {
    const under = document.elementsFromPoint(clientX, clientY).find((node) => node.classList.contains("tx-token") && this.mirror.contains(node));
    return under ? this.nodes.indexOf(under) : null;
  }

  #hover(event) {
    if (event.buttons) return;
    const index = this.#tokenAt(event);
    if (index !== null) this.lab.hover(index);
  }

  #click(event) {
    const { input, lab } = this;
    if (input.selectionStart !== input.selectionEnd) return; // something was selected
    this.caret = input.selectionStart;
    lab.pin(this.#tokenAt(event));
  }

  // ---- drawing ---------------------------------------------------------------------------------------

  #draw() {
    const { items } = this.lab;
    this.nodes = items.map(nodeOf);
    this.mirror.replaceChildren(...this.nodes, this.cursor, "\u200b");
    this.faded = 0;
    this.lit = null;
    this.#follow();
    this.#fade();
    this.#light();
    this.#painted();
  }

  #append(from) {
    const { items } = this.lab;
    const near = this.paper.scrollHeight - this.paper.scrollTop - this.paper.clientHeight < AT_END_PX;
    const fresh = items.slice(from).map(nodeOf);
    this.nodes.push(...fresh);
    this.cursor.before(...fresh);
    if (near) this.paper.scrollTop = this.paper.scrollHeight;
    this.#painted();
    if (this.begun === null) return;
    const { begun } = this;
    this.begun = null;
    afterPaint(() => { this.element.dataset.firstMs = (performance.now() - begun).toFixed(1); });
  }

  /** The field holds what the mirror shows. */
  #follow() {
    const { lab, input } = this;
    const text = lab.items.map(({ piece }) => piece).join("");
    if (input.value !== text) input.value = text;
    input.maxLength = lab.room;
  }

  #painted() {
    afterPaint(() => { this.element.dataset.paints = Number(this.element.dataset.paints ?? 0) + 1; });
  }

  #state() {
    const { lab, input, element } = this;
    element.classList.toggle("writing", lab.writing);
    element.classList.toggle("past", Boolean(lab.past));
    element.classList.toggle("loading", lab.status === "loading");
    input.readOnly = lab.writing || Boolean(lab.past);
    element.setAttribute("aria-busy", String(lab.writing));
    if (!lab.writing) this.#follow();
  }

  /** What is looked at is framed. */
  #light() {
    const { lab } = this;
    const now = lab.focus === null ? null : this.nodes[lab.focus];
    if (now === this.lit) return;
    this.lit?.classList.remove("here");
    now?.classList.add("here");
    this.lit = now;
  }

  /** What the model does not see any more is dimmed. */
  #fade() {
    const { lab } = this;
    const edge = lab.unseen;
    if (edge === this.faded) return;
    this.faded = edge;
    this.mirror.querySelector(".tx-edge")?.classList.remove("tx-edge");
    let start = 0;
    lab.items.forEach(({ piece, typed }, i) => {
      const node = this.nodes[i];
      const inside = Math.min(piece.length, Math.max(0, edge - start));
      if (typed && !node.dataset.shade) node.replaceChildren(...(inside ? [h("span", { class: "tx-unseen" }, piece.slice(0, inside))] : []), piece.slice(inside));
      else node.classList.toggle("tx-unseen", inside > 0);
      if (edge && start === edge) node.classList.add("tx-edge");
      start += piece.length;
    });
  }
}

function nodeOf({ piece, typed, plain, forced, stale }) {
  if (typed && plain == null) return h("span", { class: "tx-typed" }, piece);
  const shown = plain == null ? 0 : shade(plain);
  const classes = ["tx-token", typed ? "tx-typed" : "", piece.endsWith("\n") ? "tx-line" : "", forced ? "forced" : "", stale ? "stale" : ""].filter(Boolean);
  return h("span", { class: classes.join(" "), dataset: { shade: shown } }, piece);
}

/** What the shades mean. */
export function legend() {
  const steps = Array.from({ length: SHADES }, (_, i) => h("i", { dataset: { shade: i }, title: t("text.shade", { share: percent(leastOf(i)) }) }));
  return h("div", { class: "tx-legend", role: "img", "aria-label": t("text.legend_alt") },
    h("span", {}, t("text.likely")), h("span", { class: "tx-shades" }, steps), h("span", {}, t("text.surprising")));
}
