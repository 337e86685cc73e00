// Attention: every head as a small matrix, the chosen one large, and as arcs over the text.

import { choice, h, inFrame, setText } from "./explorer_dom.js";
import { number } from "./curves_format.js";
import { readArrays } from "./decode.js";
import { fill } from "./dom.js";
import { Arcs } from "./text_inside_arcs.js";
import { drawCells, leakScale, shareColour, shareScale } from "./text_inside_colours.js";
import { ahead, habitOf, mean } from "./text_inside_habits.js";
import { Strip, quoted } from "./text_inside_strip.js";
import { percent } from "./text_words.js";
import { emit, on, t } from "./store.js";

export const buildAttention = (inside) => new AttentionView(inside);

class AttentionView {
  constructor(inside) {
    Object.assign(this, { inside, maps: null, pieces: [], head: null, token: null, towards: false, hovered: null });
    this.#build();
    this.paint = inFrame(() => this.#paint());
    on("theme", () => this.#recolour());
    new ResizeObserver(() => this.paint()).observe(this.strip.element);
  }

  #build() {
    this.grid = h("div", { class: "ti-heads", role: "group", "aria-label": t("text_training.inside.heads") });
    this.large = h("canvas", { class: "ti-matrix" });
    this.mark = h("i", { class: "ti-matrix-row", "aria-hidden": "true" });
    this.reading = h("p", { class: "ti-reading", "aria-live": "polite" });
    this.stage = h("div", {
      class: "ti-matrix-stage", role: "img", onpointermove: (event) => this.#cell(event), onpointerleave: () => this.#hover(null), onclick: (event) => this.#cell(event, true),
    }, this.large, this.mark);
    this.habit = h("p", { class: "ti-habit" });
    this.way = choice({
      label: t("text_training.inside.way"), value: false, options: [[false, t("text_training.inside.looks_at")], [true, t("text_training.inside.looked_at")]],
      onchange: (towards) => { this.towards = towards; this.paint(); },
    });
    this.strip = new Strip({
      label: t("text_training.inside.attention_text"), onchoose: (i) => { this.token = i; this.#hover(null); }, onpoint: (i) => this.#hover(i),
    });
    this.arcs = new Arcs();
    this.strip.element.classList.add("ti-arched");
    this.strip.element.append(this.arcs.element);
    const side = h("figure", { class: "ti-large" }, h("figcaption", {}, this.title = h("b"), h("span", { class: "play-note" }, t("text_training.inside.matrix_axes"))), this.stage, scaleBar());
    this.element = h("div", { class: "x-stack" },
      h("div", { class: "ti-attention" }, h("div", { class: "ti-heads-box" }, this.grid), side),
      this.habit, h("div", { class: "x-line" }, this.way.element, this.reading), this.strip.element);
  }

  clear() {
    this.maps = null;
  }

  async load() {
    const answer = await this.inside.look("attention");
    if (!answer) return null;
    const { data, shape } = readArrays(answer).attention;
    const [layers, heads, length] = shape;
    Object.assign(this, { maps: data, layers, heads, length, pieces: answer.values.pieces });
    this.causal = answer.values.causal;
    this.strip.set(this.pieces);
    if (this.token === null || this.token >= length) this.token = length - 1;
    this.strip.choose(this.token);
    this.habits = answer.values.heads.map((shares, head) => ({ distance: shares.distance, ...habitOf({ ...shares, ahead: this.causal ? 0 : ahead(this.#map(head), length) }) }));
    if (this.head === null || this.head > layers * heads) this.head = this.#clearest();
    this.#drawHeads();
    this.#recolour();
    return answer;
  }

  /** The weights of one head, row by row; after the last head: their mean. */
  #map(head) {
    const size = this.length ** 2;
    return head < this.layers * this.heads ? this.maps.subarray(head * size, (head + 1) * size) : (this.average ??= mean(this.maps, size));
  }

  /** The head with the clearest habit: the best to begin with. */
  #clearest() {
    const clear = this.habits.map(({ share }) => share);
    return clear.indexOf(Math.max(...clear));
  }

  // ---- drawing --------------------------------------------------------------------------------------

  #drawHeads() {
    const { layers, heads } = this;
    this.average = null;
    const count = layers * heads;
    if (this.buttons?.length !== count + 1 || this.columns !== heads) {
      this.columns = heads;
      this.buttons = Array.from({ length: count + 1 }, (_, head) => this.#button(head));
      this.grid.style.setProperty("--heads", heads);
      fill(this.grid, Array.from({ length: layers }, (_, layer) => [
        h("span", { class: "ti-layer" }, t("text_training.inside.layer_short", { n: layer + 1 })), this.buttons.slice(layer * heads, (layer + 1) * heads),
      ]), h("span", { class: "ti-layer" }, "⌀"), this.buttons[count]);
    }
    this.habits.forEach((habit, head) => setText(this.buttons[head].lastChild, habit.key ? t(`text_training.inside.habit_short_${habit.key}`) : ""));
    setText(this.buttons[count].lastChild, t("text_training.inside.all_heads"));
  }

  #button(head) {
    return h("button", {
      type: "button", class: "ti-head", "aria-pressed": "false", "aria-label": this.#name(head), title: this.#name(head), onclick: () => this.#choose(head),
    }, h("canvas"), h("small"));
  }

  #name(head) {
    return head === this.layers * this.heads
      ? t("text_training.inside.mean_head") : t("text_training.inside.head_name", { layer: Math.floor(head / this.heads) + 1, head: (head % this.heads) + 1 });
  }

  #choose(head) {
    this.head = head;
    this.paint();
    emit("tried", { what: "head", habit: this.habits[head]?.key ?? null, share: this.habits[head]?.share });
  }

  #recolour() {
    this.scales = null;
    this.paint();
  }

  #cells(canvas, head) {
    this.scales ??= { share: shareScale(), leak: leakScale() };
    const map = this.#map(head);
    const { length, scales } = this;
    drawCells(canvas, { rows: length, columns: length, at: (r, c) => map[r * length + c], scaleOf: (r, c) => (c > r ? scales.leak : scales.share) });
  }

  #paint() {
    if (!this.maps) return;
    this.buttons.forEach((button, head) => {
      this.#cells(button.firstChild, head);
      button.setAttribute("aria-pressed", String(head === this.head));
    });
    this.#cells(this.large, this.head);
    setText(this.title, this.#name(this.head));
    this.stage.setAttribute("aria-label", t("text_training.inside.matrix_alt", { name: this.#name(this.head), n: this.length }));
    setText(this.habit, this.#habitText());
    this.#paintToken(this.hovered ?? this.token);
  }

  #habitText() {
    const habit = this.habits[this.head];
    if (!habit) return t("text_training.inside.habit_mean");
    return t(`text_training.inside.habit_${habit.key ?? "none"}`, { share: percent(habit.share), distance: number(habit.distance, 2) });
  }

  /** What a token looks at, or what looks at it: on the text, as arcs, in the matrix. */
  #paintToken(at) {
    const { length, towards } = this;
    const map = this.#map(this.head);
    const weights = Array.from({ length }, (_, i) => (towards ? map[i * length + at] : map[at * length + i]) / 255);
    this.strip.paint((i) => shareColour(weights[i]));
    this.arcs.draw(this.strip.boxes(), at, weights);
    this.mark.className = `ti-matrix-row${towards ? " column" : ""}`;
    this.mark.style.setProperty("--at", at / length);
    this.mark.style.setProperty("--part", 1 / length);
    if (this.pointedCell === undefined || this.pointedCell === null) this.#readToken(at, weights);
  }

  #readToken(at, weights) {
    const most = weights.map((weight, i) => [weight, i]).sort((a, b) => b[0] - a[0]).slice(0, 3).filter(([weight]) => weight > 0.02);
    const listed = most.map(([weight, i]) => `${quoted(this.pieces[i])} ${percent(weight)}`).join(", ");
    setText(this.reading, t(this.towards ? "text_training.inside.token_looked_at" : "text_training.inside.token_looks_at", { token: quoted(this.pieces[at]), listed: listed || "–" }));
  }

  // ---- pointing ---------------------------------------------------------------------------------------

  #hover(i) {
    this.hovered = i;
    this.pointedCell = null;
    this.paint();
  }

  #cell(event, choose = false) {
    if (!this.maps) return;
    const box = this.large.getBoundingClientRect();
    const place = (v, from, size) => Math.min(this.length - 1, Math.max(0, Math.floor(((v - from) / size) * this.length)));
    const [row, column] = [place(event.clientY, box.top, box.height), place(event.clientX, box.left, box.width)];
    this.hovered = this.towards ? column : row;
    if (choose) {
      this.token = this.hovered;
      this.strip.choose(this.token);
    }
    this.pointedCell = [row, column];
    const share = this.#map(this.head)[row * this.length + column] / 255;
    const words = column > row && this.causal ? "text_training.inside.cell_hidden" : "text_training.inside.cell";
    setText(this.reading, t(words, { from: quoted(this.pieces[row]), to: quoted(this.pieces[column]), share: percent(share) }));
    this.paint();
  }
}

function scaleBar() {
  return h("div", { class: "ti-scale", "aria-hidden": "true" }, h("span", {}, "0"), h("i"), h("span", {}, "100 %"));
}
