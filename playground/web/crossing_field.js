// What the patch discriminator judges: one verdict for each of many overlapping patches.

import { errorLine, h, setText } from "./explorer_dom.js";
import { shown } from "./decode.js";
import { freshness } from "./crossing_state.js";
import { term } from "./help_terms.js";
import { decoded } from "./views_pictures.js";
import { emit, t } from "./store.js";

const LIVE_MS = 4000;
const KERNEL = 4; // of every layer of D
const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * Where the patches of a discriminator lie: `px` wide, `stride` apart, the middle of the first at
 * `first`. Convolutions of kernel 4 and padding 1: `halvings` of stride 2, then two of stride 1.
 */
export function patchesOf(halvings) {
  let [px, stride, first] = [1, 1, 0.5];
  for (const by of [...Array(halvings).fill(2), 1, 1]) {
    px += (KERNEL - 1) * stride;
    first += ((KERNEL - 1) / 2 - 1) * stride;
    stride *= by;
  }
  return { px, stride, first };
}

export class FieldView {
  /** @param {import("./crossing_state.js").Crossing} lab */
  constructor(lab) {
    Object.assign(this, { lab, cell: null, answer: null, askedAt: -Infinity });
    this.#build();
    this.fresh = freshness(lab, () => this.#ask(), { live: true });
    lab.on("answer", () => { if (!this.answer) this.fresh.touch(); });
    lab.on("space", () => { this.answer = null; this.askedAt = -Infinity; this.failure.clear(); });
  }

  #build() {
    this.canvas = h("canvas", { class: "cy-field-canvas" });
    this.cells = h("div", { class: "cy-field-cells", "aria-hidden": "true" });
    this.frame = h("i", { class: "cy-field-frame" });
    this.stage = h("div", {
      class: "cy-field-stage", tabindex: 0, role: "application", "aria-label": t("cyclegan.field_label"),
      onpointermove: (event) => this.#point(event), onpointerdown: (event) => this.#point(event), onkeydown: (event) => this.#key(event),
    }, this.canvas, this.cells, this.frame);
    this.seenByD = h("canvas", { class: "cy-field-patch", role: "img", "aria-label": t("cyclegan.field_patch") });
    this.mark = h("b");
    this.verdict = h("p", { "aria-live": "polite" });
    this.size = h("p", { class: "play-note" });
    this.failure = errorLine();
    this.element = h("section", { class: "cy-box cy-field" },
      h("h4", { class: "x-sub" }, term("patch_gan", t("cyclegan.field"))), h("p", { class: "play-note" }, t("cyclegan.field_what")), this.failure.element,
      h("div", { class: "cy-field-body" }, this.stage,
        h("div", { class: "cy-field-side" }, this.seenByD,
          h("div", { class: "cy-field-scale" }, h("span", {}, t("cyclegan.fake")), h("i", { class: "cy-opinion" }, this.mark), h("span", {}, t("cyclegan.real"))),
          this.verdict, this.size)));
  }

  shown(seen) {
    this.fresh.shown(seen);
  }

  async #ask() {
    const { lab } = this;
    const given = lab.answer?.items.input;
    if (!given || this.asking || (lab.live && performance.now() - this.askedAt < LIVE_MS)) return;
    Object.assign(this, { asking: true, askedAt: performance.now() });
    try {
      const answer = await lab.ask("translate", { picture: given.src, direction: lab.direction });
      if (!answer) return;
      this.answer = answer;
      this.picture = await decoded(answer.items.output);
      this.failure.clear();
      this.#draw();
    } catch (error) {
      this.failure.show(error);
    } finally {
      this.asking = false;
    }
  }

  // ---- choosing a patch ---------------------------------------------------------------------------------

  #point(event) {
    const rows = this.answer?.values.patches;
    if (!rows) return;
    const box = this.canvas.getBoundingClientRect();
    const { stride, first } = this.patches;
    const scale = this.picture.naturalWidth / box.width;
    const place = (at, count) => Math.min(Math.max(Math.round((at * scale - first) / stride), 0), count - 1);
    this.#choose([place(event.clientY - box.top, rows.length), place(event.clientX - box.left, rows[0].length)]);
  }

  #key(event) {
    const rows = this.answer?.values.patches;
    const way = KEYS[event.key];
    if (!rows || !way) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, column] = this.cell;
    this.#choose([Math.min(Math.max(row + way[0], 0), rows.length - 1), Math.min(Math.max(column + way[1], 0), rows[0].length - 1)]);
  }

  #choose(cell) {
    if (String(cell) === String(this.cell)) return;
    this.cell = cell;
    this.#drawPatch();
    if (this.told) return;
    this.told = true;
    emit("tried", { what: "field" });
  }

  // ---- drawing ---------------------------------------------------------------------------------------------

  #draw() {
    const { picture } = this;
    const rows = this.answer.values.patches;
    this.stage.classList.toggle("none", !rows);
    const side = picture.naturalWidth;
    Object.assign(this.canvas, { width: side, height: picture.naturalHeight });
    this.canvas.getContext("2d").drawImage(picture, 0, 0);
    if (!rows) return;
    this.patches = shownPatches(this.answer.values);
    if (!this.cell || this.cell[0] >= rows.length || this.cell[1] >= rows[0].length) this.cell = worst(rows);
    const { stride, first } = this.patches;
    const percent = (px) => `${(100 * px) / side}%`;
    this.cells.replaceChildren(...rows.flatMap((row, i) => row.map((opinion, k) => h("i", {
      class: opinion > 0.5 ? "real" : "fake",
      style: { left: percent(first + k * stride), top: percent(first + i * stride), "--sure": (2 * Math.abs(opinion - 0.5)).toFixed(2) },
    }))));
    setText(this.size, t("cyclegan.field_size", { px: this.patches.px, rows: rows.length, columns: rows[0].length }));
    this.#drawPatch();
  }

  #drawPatch() {
    const rows = this.answer.values.patches;
    const [row, column] = this.cell;
    const { px, stride, first } = this.patches;
    const side = this.picture.naturalWidth;
    const [left, top] = [first + column * stride - px / 2, first + row * stride - px / 2];
    Object.assign(this.frame.style, {
      left: `${(100 * left) / side}%`, top: `${(100 * top) / side}%`, width: `${(100 * px) / side}%`, height: `${(100 * px) / side}%`,
    });
    Object.assign(this.seenByD, { width: px, height: px });
    this.seenByD.getContext("2d").drawImage(this.picture, -left, -top);
    const opinion = rows[row][column];
    this.mark.style.left = `${100 * opinion}%`;
    setText(this.verdict, t(opinion > 0.5 ? "cyclegan.patch_real" : "cyclegan.patch_fake", { opinion: shown(opinion, 2) }));
  }
}

/** The patches whose verdicts travel: of very many, the means of neighbours. */
function shownPatches({ patch_stride: by, patch_grid: [all], patches }) {
  const { px, stride, first } = patchesOf(Math.log2(by));
  const each = all / patches.length;
  return { px, stride: stride * each, first: first + (stride * (each - 1)) / 2 };
}

/** The patch that looks least real. */
function worst(rows) {
  const flat = rows.flatMap((row, i) => row.map((opinion, k) => [opinion, i, k]));
  const [, i, k] = flat.reduce((least, one) => (one[0] < least[0] ? one : least));
  return [i, k];
}
