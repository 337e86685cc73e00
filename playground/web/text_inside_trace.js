// The course of one unit over the text, as a line above the tokens that it has read.

import { fill, svg } from "./dom.js";
import { h } from "./explorer_dom.js";
import { number } from "./curves_format.js";
import { visible } from "./text_words.js";
import { t } from "./store.js";

const HEIGHT = 84;
const EDGE = { top: 6, bottom: 18, left: 40, right: 8 };
const LETTER_PX = 9; // below this room a token is not written

export class Trace {
  /** @param {{onpoint: (i: number) => void}} spec */
  constructor({ onpoint }) {
    this.svg = svg("svg", { class: "ti-plot-svg", "aria-hidden": "true" });
    this.element = h("div", {
      class: "ti-trace", role: "img", style: { height: `${HEIGHT}px` },
      onpointermove: (event) => {
        const i = Math.round((event.clientX - this.element.getBoundingClientRect().left - EDGE.left) / this.each);
        if (this.values?.[i] !== undefined) onpoint(i);
      },
    }, this.svg);
    new ResizeObserver(() => this.values && this.draw(this.values, this.pieces, this.at)).observe(this.element);
  }

  /** @param {number[]} values @param {string[]} pieces @param {number} at the token that is read */
  draw(values, pieces, at) {
    Object.assign(this, { values, pieces, at });
    const width = this.element.clientWidth;
    if (!width) return;
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    this.each = (width - EDGE.left - EDGE.right) / Math.max(1, values.length - 1);
    const x = (i) => EDGE.left + i * this.each;
    const y = (v) => EDGE.top + ((high - v) / (high - low || 1)) * (HEIGHT - EDGE.top - EDGE.bottom);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const tick = (v) => svg("text", { class: "ti-tick", x: EDGE.left - 6, y: y(v) + 3.5, "text-anchor": "end" }, number(v, 2));
    fill(this.svg, svg("line", { class: "ti-grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(0), y2: y(0) }),
      [...new Set([low, high].filter((v) => Math.abs(v) > 0.15 * (high - low)))].map(tick), tick(0),
      svg("path", { class: "ti-curve", d: values.map((v, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("") }),
      this.each >= LETTER_PX ? pieces.map((piece, i) => svg("text", { class: "ti-tick letter", x: x(i), y: HEIGHT - 5, "text-anchor": "middle" }, visible(piece).slice(0, Math.max(1, Math.floor(this.each / 7))))) : null,
      values[at] === undefined ? null : svg("circle", { class: "ti-dot", cx: x(at), cy: y(values[at]), r: 4 }));
    this.element.setAttribute("aria-label", t("text_training.inside.trace_alt", { low: number(low), high: number(high), n: values.length }));
  }
}
