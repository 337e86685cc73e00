// The logit lens: what the model would say if it had to after each layer (nostalgebraist, 2020).

import { choice, h, setText } from "./explorer_dom.js";
import { number, whole } from "./curves_format.js";
import { readArrays } from "./decode.js";
import { fill } from "./dom.js";
import { shareColour } from "./text_inside_colours.js";
import { quoted } from "./text_inside_strip.js";
import { percent, visible } from "./text_words.js";
import { emit, t } from "./store.js";

const SHOWN = ["top", "rank", "kl"];
const MOST_KL = 4; // nats that are shown in full colour
const COLUMNS = 96; // positions in the table: the last ones of the text

export const buildLens = (inside) => new LensView(inside);

class LensView {
  constructor(inside) {
    Object.assign(this, { inside, data: null, shows: "top", at: null });
    this.#build();
  }

  #build() {
    this.which = choice({ label: t("text_training.inside.lens_shows"), value: this.shows, options: SHOWN.map((key) => [key, t(`text_training.inside.lens_${key}`)]), onchange: (key) => { this.shows = key; this.#colour(); } });
    this.table = h("table", { class: "ti-lens" });
    this.scroll = h("div", {
      class: "ti-scroll", tabindex: "0", role: "group", "aria-label": t("text_training.inside.lens_table"),
      onpointerover: (event) => this.#point(event), onclick: (event) => this.#point(event, true), onkeydown: (event) => this.#key(event),
    }, this.table);
    this.detail = h("div", { class: "ti-detail", "aria-live": "polite" });
    this.fate = h("p", { class: "ti-habit" });
    this.element = h("div", { class: "x-stack" }, h("div", { class: "x-line" }, this.which.element), this.fate, this.scroll, this.detail);
  }

  clear() {
    this.data = null;
  }

  async load() {
    const answer = await this.inside.look("lens");
    if (!answer) return null;
    const { ids, probability, kl, rank } = readArrays(answer);
    const [layers, length, top] = ids.shape;
    const { pieces, vocabulary } = answer.values;
    this.data = { layers, length, top, pieces, vocabulary, ids: ids.data, probability: probability.data, kl: kl.data, rank: rank.data, from: Math.max(0, length - COLUMNS) };
    this.#draw();
    return answer;
  }

  #cellOf(layer, position) {
    const { length, top, ids, probability, vocabulary, kl, rank, pieces } = this.data;
    const at = layer * length + position;
    const guesses = Array.from({ length: top }, (_, i) => ({ piece: vocabulary[ids[at * top + i]] ?? "", probability: probability[at * top + i] }));
    const next = pieces[position + 1];
    return { guesses, kl: kl[at], rank: rank[at], next }; // rank 1 is the likeliest; 0 where the text ends
  }

  // ---- drawing --------------------------------------------------------------------------------------

  #draw() {
    const { layers, length, pieces, from } = this.data;
    const places = Array.from({ length: length - from }, (_, i) => from + i);
    const head = (text, words) => h("th", { scope: "row", title: words }, text);
    const name = (layer) => (layer === 0 ? t("text_training.inside.after_embedding") : t("text_training.inside.after_layer", { n: layer }));
    this.cells = new Map();
    const row = (layer) => h("tr", {}, head(name(layer)), places.map((position) => {
      const cell = h("td", { dataset: { layer, position } });
      this.cells.set(`${layer} ${position}`, cell);
      return cell;
    }));
    fill(this.table, h("thead", {}, h("tr", {}, h("th", { scope: "row" }, t("text_training.inside.lens_given")), places.map((p) => h("th", { scope: "col" }, visible(pieces[p]))))),
      h("tbody", {}, Array.from({ length: layers }, (_, i) => row(layers - 1 - i))),
      h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t("text_training.inside.lens_next")), places.map((p) => h("td", {}, p + 1 < length ? visible(pieces[p + 1]) : "?")))));
    this.#colour();
    setText(this.fate, this.#fateText());
    this.#explain(layers - 1, length - 1);
    this.scroll.scrollLeft = this.scroll.scrollWidth;
  }

  #colour() {
    if (!this.data) return;
    for (const cell of this.cells.values()) {
      const { guesses, kl, rank } = this.#cellOf(Number(cell.dataset.layer), Number(cell.dataset.position));
      const [text, part] = {
        top: [visible(guesses[0].piece), guesses[0].probability],
        rank: [rank ? String(rank) : "", rank ? 1 / rank : 0],
        kl: [number(kl, 2), Math.min(1, kl / MOST_KL)],
      }[this.shows];
      setText(cell, text);
      cell.style.background = shareColour(part);
      cell.classList.toggle("right", rank === 1);
    }
  }

  /** From which layer on the final guess stands: on average, how far up the answer is formed. */
  #fateText() {
    const { layers, length, top, ids } = this.data;
    const last = (layers - 1) * length;
    let sum = 0;
    for (let p = 0; p < length; p += 1) {
      let layer = layers - 1;
      while (layer > 0 && ids[((layer - 1) * length + p) * top] === ids[(last + p) * top]) layer -= 1;
      sum += layer;
    }
    return t("text_training.inside.lens_fate", { layer: number(sum / length, 2), layers: layers - 1 });
  }

  // ---- pointing -------------------------------------------------------------------------------------

  #point(event, byPerson = false) {
    const cell = event.target.closest?.("td[data-layer]");
    if (!cell) return;
    this.#explain(Number(cell.dataset.layer), Number(cell.dataset.position));
    if (byPerson || event.pointerType === "mouse") emit("tried", { what: "lens" });
  }

  #key(event) {
    if (!this.at) return;
    const [dl, dp] = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (dl === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const [layer, position] = [this.at[0] + dl, this.at[1] + dp];
    const cell = this.cells.get(`${layer} ${position}`);
    if (!cell) return;
    this.#explain(layer, position);
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #explain(layer, position) {
    this.cells.get(this.at?.join(" "))?.classList.remove("chosen");
    this.at = [layer, position];
    this.cells.get(this.at.join(" "))?.classList.add("chosen");
    const { guesses, kl, rank, next } = this.#cellOf(layer, position);
    const given = visible(this.data.pieces.slice(Math.max(0, position - 11), position + 1).join(""));
    const where = layer === 0 ? t("text_training.inside.after_embedding") : t("text_training.inside.after_layer", { n: layer });
    fill(this.detail, h("p", {}, h("b", {}, where), " ", t("text_training.inside.lens_after", { given })),
      h("div", { class: "ti-guesses" }, guesses.map(({ piece, probability }) => h("div", { class: `ti-guess${piece === next ? " right" : ""}` },
        h("span", { class: "ti-piece" }, visible(piece)), h("i", { class: "ti-guess-bar" }, h("i", { style: { width: `${100 * probability}%` } })), h("b", { class: "play-number" }, percent(probability))))),
      h("p", { class: "play-note" }, rank ? t("text_training.inside.lens_rank_at", { next: quoted(next), rank: whole(rank) }) : "", " ", t("text_training.inside.lens_kl_at", { kl: number(kl) })));
  }
}
