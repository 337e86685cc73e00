// What could stand at a place of the text: the ten likeliest tokens under the present knobs, where
// the draw fell among them, and, by a click, any of them instead.

import { h, inFrame, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { PLAIN, bits, choices, drawn, oddsOf, recentOf } from "./text_odds.js";
import { percent, pieceNode, visible } from "./text_words.js";
import { idOf, t } from "./store.js";

const ROWS = 10;
const SEGMENTS = 24; // of the strip that have a width of their own

export class NextPanel {
  /**
   * @param {import("./text_state.js").Writing} lab
   * @param {{choose: (index: number|null, id: number) => void, leave: () => void}} calls
   */
  constructor(lab, calls) {
    Object.assign(this, { lab, calls, rows: [] });
    this.#build();
    this.soon = inFrame(() => this.#draw());
    for (const type of ["focus", "next", "knobs", "items", "added", "writing", "status", "past"]) lab.on(type, this.soon);
    this.#draw();
  }

  #build() {
    this.title = h("h4", { class: "tx-next-title" });
    this.fact = h("p", { class: "play-note tx-next-fact" });
    this.strip = h("div", { class: "tx-strip", "aria-hidden": "true" });
    this.dart = h("i", { class: "tx-dart", title: t("text.dart") });
    this.list = h("div", {
      class: "tx-rows", role: "listbox", tabindex: "0", "aria-label": t("text.alternatives"), onkeydown: (event) => this.#key(event),
    });
    this.rows = Array.from({ length: ROWS }, (_, i) => this.#row(i));
    this.list.append(...this.rows.map(({ element }) => element));
    this.rest = h("p", { class: "play-note tx-rest play-number" });
    this.hint = h("p", { class: "play-note tx-hint" });
    this.element = h("section", { class: "tx-next", "aria-label": t("text.next") },
      this.title, this.fact, h("div", { class: "tx-strip-place" }, this.strip, this.dart), this.list, this.rest, this.hint);
  }

  #row(i) {
    const name = h("b", {});
    const plain = h("i", { class: "tx-plain" });
    const bar = h("i", { class: "tx-share" });
    const number = h("span", { class: "play-number tx-number" });
    const element = h("div", { class: "tx-row", role: "option", id: idOf(`row-${i}`), onclick: () => this.#choose(i) },
      name, h("span", { class: "tx-meter" }, plain, bar), number);
    return { element, name, plain, bar, number };
  }

  /** Take the keyboard here. */
  focus() {
    this.list.focus();
    this.#pointStanding();
  }

  /** Begin with the token that stands there. */
  #pointStanding() {
    this.#point(Math.max(0, this.entries?.findIndex(({ id }) => id === this.place?.id) ?? 0));
  }

  #point(i) {
    this.pointed = Math.max(0, Math.min(this.shown - 1, i));
    this.rows.forEach(({ element }, n) => element.classList.toggle("pointed", n === this.pointed));
    this.list.setAttribute("aria-activedescendant", idOf(`row-${this.pointed}`));
  }

  #key(event) {
    const { lab } = this;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const side = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) this.#point((this.pointed ?? -1) + step);
    else if (side) this.#beside(side);
    else if (event.key === "Enter" || event.key === " ") this.#choose(this.pointed ?? 0);
    else if (event.key === "Escape") {
      lab.pin(null);
      this.calls.leave();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Look at the token before or after. */
  #beside(side) {
    const { lab } = this;
    const { items } = lab;
    let index = (lab.focus ?? items.length) + side;
    while (items[index] && !items[index].ids) index += side;
    if (items[index]) lab.pin(index);
    else if (side > 0) lab.pin(null);
  }

  #choose(i) {
    const entry = this.entries?.[i];
    const { lab, place } = this;
    if (!entry || !place || lab.past) return;
    const index = lab.items.indexOf(place);
    this.calls.choose(index < 0 ? null : index, entry.id);
  }

  // ---- drawing -----------------------------------------------------------------------------------------

  /** The record that is looked at, and whether it stands in the text. */
  #looked() {
    const { lab } = this;
    const { focus, items } = lab;
    if (focus !== null) return [items[focus] ?? null, true];
    const last = items.at(-1);
    return lab.writing && last && !last.typed ? [last, true] : [lab.next, false];
  }

  #draw() {
    const { lab } = this;
    const [place, stands] = this.#looked();
    const known = Boolean(place?.ids?.length);
    const other = place !== this.place;
    this.place = known ? place : null;
    this.element.classList.toggle("none", !known);
    this.element.classList.toggle("stands", stands);
    this.#head(place, stands, known);
    if (!known) return this.#none();
    const recent = recentOf(lab.branch.ids ?? [], place.at);
    const entries = oddsOf(place, lab.knobs, recent);
    const plain = new Map(oddsOf(place, PLAIN, recent).map(({ id, share }) => [id, share]));
    this.entries = entries.filter(({ id }) => id !== null);
    const now = place.uniform === null ? null : drawn(entries, place.uniform);
    const most = Math.max(...this.entries.slice(0, ROWS).map(({ id, share }) => Math.max(share, plain.get(id) ?? 0)), 1e-9);
    this.shown = Math.min(ROWS, this.entries.length);
    this.rows.forEach((row, i) => this.#drawRow(row, this.entries[i], { plain, most, now, stands }));
    this.#strip(entries, place.uniform);
    this.#tell(entries, stands);
    if (document.activeElement !== this.list) return;
    if (other) this.#pointStanding();
    else this.#point(this.pointed ?? 0);
  }

  #head(place, stands, known) {
    const { lab } = this;
    const undecided = known ? choices(oddsOf(place, PLAIN, new Set())) : 0;
    if (stands && place) fill(this.title, t("text.instead"), " ", pieceNode(place.piece));
    else setText(this.title, t("text.next"));
    const surprise = bits(place?.plain ?? 1);
    setText(this.fact, !known ? "" : stands && place.plain !== null
      ? t("text.fact_stands", { share: percent(place.plain), bits: surprise.toFixed(1), n: count(undecided) })
      : t("text.fact_next", { n: count(undecided) }));
    setText(this.hint, lab.past ? t("text.hint_past") : known ? t(stands ? "text.hint_instead" : "text.hint_next") : "");
  }

  #none() {
    const { lab } = this;
    this.entries = null;
    this.rows.forEach(({ element }) => { element.hidden = true; });
    setText(this.rest, lab.focus !== null ? t("text.not_known") : lab.status === "ready" && !lab.past ? t("text.reading") : "");
    this.strip.replaceChildren();
    this.dart.hidden = true;
  }

  #drawRow({ element, name, plain, bar, number }, entry, about) {
    element.hidden = !entry;
    if (!entry) return;
    const { id, share } = entry;
    const piece = this.lab.nameOf(id);
    fill(name, pieceNode(piece));
    bar.style.width = `${(100 * share) / about.most}%`;
    plain.style.width = `${(100 * (about.plain.get(id) ?? 0)) / about.most}%`;
    setText(number, percent(share));
    const chosen = about.stands && id === this.place.id;
    const falls = about.now?.id === id;
    element.classList.toggle("chosen", chosen);
    element.classList.toggle("falls", falls);
    element.classList.toggle("cut", share === 0);
    element.setAttribute("aria-selected", String(chosen));
    element.setAttribute("aria-label", t("text.alternative", { piece: visible(piece), share: percent(share) }));
    element.title = share === 0 ? t("text.cut_off") : t(about.stands ? "text.choose_instead" : "text.choose_next", { piece: visible(piece) });
  }

  /** All the odds laid end to end, and where the draw fell. */
  #strip(entries, uniform) {
    const parts = entries.filter(({ share }) => share > 0);
    const own = parts.slice(0, SEGMENTS).filter(({ id }) => id !== null);
    const rest = 1 - own.reduce((sum, { share }) => sum + share, 0);
    fill(this.strip, own.map(({ id, share }, i) => h("i", { class: i % 2 ? "odd" : "", style: { width: `${100 * share}%` } }, share > 0.09 ? visible(this.lab.nameOf(id)) : null)),
      rest > 1e-4 ? h("i", { class: "others", style: { width: `${100 * rest}%` } }) : null);
    this.dart.hidden = uniform === null;
    if (uniform !== null) this.dart.style.left = `${100 * uniform}%`;
  }

  #tell(entries, stands) {
    const shownIds = new Set(this.entries.slice(0, ROWS).map(({ id }) => id));
    let [others, share, out] = [0, 0, 0];
    for (const entry of entries) {
      if (shownIds.has(entry.id)) continue;
      if (entry.share > 0) others += entry.count;
      else out += entry.count;
      share += entry.share;
    }
    const told = others ? t("text.others", { n: others.toLocaleString("en"), share: percent(share) }) : "";
    setText(this.rest, [told, out ? t("text.out", { n: out.toLocaleString("en") }) : ""].filter(Boolean).join(" · "));
  }
}

const count = (n) => (n < 10 ? n.toFixed(1) : String(Math.round(n)));
