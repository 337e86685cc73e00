// A small chart: curves over a common axis, read at the pointer or with the arrow keys.

import { fill, svg } from "./dom.js";
import { h, setText } from "./explorer_dom.js";
import { number, whole } from "./curves_format.js";
import { makeScale, roundRange, ticks } from "./curves_scale.js";

const BOX = { left: 46, right: 10, top: 8, bottom: 30 };

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} colour a CSS colour
 * @property {Array<[number, number]>} points
 * @property {boolean} [faint]
 */

export class Plot {
  /** @param {{label: string, x: string, y: string, log?: boolean, logX?: boolean, height?: number}} spec */
  constructor(spec) {
    Object.assign(this, { spec, lines: [], at: null, references: [] });
    this.svg = svg("svg", { class: "ti-plot-svg", "aria-hidden": "true" });
    this.legend = h("div", { class: "ti-plot-legend" });
    this.area = h("div", {
      class: "ti-plot", role: "img", tabindex: "0", style: { height: `${spec.height ?? 210}px` },
      onpointermove: (event) => this.#read(event.clientX), onpointerleave: () => this.#readAt(null), onkeydown: (event) => this.#key(event),
    }, this.svg);
    this.element = h("figure", { class: "ti-plot-figure" }, this.legend, this.area);
    new ResizeObserver(() => this.#draw()).observe(this.area);
  }

  /** @param {Line[]} lines @param {{value: number, text: string}[]} [references] dashed, level */
  set(lines, references = []) {
    Object.assign(this, { lines: lines.filter((line) => line.points.length), references });
    this.at = null;
    this.#draw();
  }

  #draw() {
    const [width, height] = [this.area.clientWidth, this.area.clientHeight];
    if (!width || !this.lines.length) return;
    const { log = false, logX = false } = this.spec;
    const all = this.lines.flatMap((line) => line.points);
    const xs = all.map(([x]) => x);
    const ys = [...all.map(([, y]) => y).filter((y) => !log || y > 0), ...this.references.map((r) => r.value)];
    const [low, high] = roundRange(Math.min(...ys), Math.max(...ys), log);
    this.x = makeScale(Math.min(...xs), Math.max(...xs, Math.min(...xs) + 1), BOX.left, width - BOX.right, logX);
    this.y = makeScale(low, high, height - BOX.bottom, BOX.top, log);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.cross = svg("line", { class: "ti-cross", y1: BOX.top, y2: height - BOX.bottom, visibility: "hidden" });
    fill(this.svg, this.#grid(width, height), this.references.map((r) => this.#reference(r, width)),
      this.lines.map((line) => svg("path", { d: this.#path(line), class: `ti-curve${line.faint ? " faint" : ""}`, style: { stroke: line.colour } })), this.cross);
    this.#say();
  }

  #grid(width, height) {
    const { log = false, logX = false, x, y } = this.spec;
    const rows = ticks(this.y.low, this.y.high, 5, log).map(({ value, text }) => [
      svg("line", { class: "ti-grid", x1: BOX.left, x2: width - BOX.right, y1: this.y.at(value), y2: this.y.at(value) }),
      svg("text", { class: "ti-tick", x: BOX.left - 6, y: this.y.at(value) + 3.5, "text-anchor": "end" }, text),
    ]);
    const columns = ticks(this.x.low, this.x.high, Math.round(width / 90), logX).map(({ value, text }) =>
      svg("text", { class: "ti-tick", x: this.x.at(value), y: height - BOX.bottom + 14, "text-anchor": "middle" }, text));
    return [rows, columns,
      svg("text", { class: "ti-tick name", x: width - BOX.right, y: height - 4, "text-anchor": "end" }, x),
      svg("text", { class: "ti-tick name", x: BOX.left, y: height - 4 }, `↑ ${y}`)];
  }

  #reference({ value, text }, width) {
    const y = this.y.at(value);
    return [
      svg("line", { class: "ti-reference", x1: BOX.left, x2: width - BOX.right, y1: y, y2: y }),
      svg("text", { class: "ti-tick reference", x: width - BOX.right, y: y - 3, "text-anchor": "end" }, text),
    ];
  }

  #path({ points }) {
    const { log = false } = this.spec;
    return points.filter(([, y]) => !log || y > 0).map(([x, y], i) => `${i ? "L" : "M"}${this.x.at(x).toFixed(1)} ${this.y.at(y).toFixed(1)}`).join("");
  }

  // ---- reading ----------------------------------------------------------------------------------

  #read(clientX) {
    if (!this.x) return;
    const at = clientX - this.area.getBoundingClientRect().left;
    const places = this.lines[0].points.map(([x]) => x);
    this.#readAt(places.reduce((best, x) => (Math.abs(this.x.at(x) - at) < Math.abs(this.x.at(best) - at) ? x : best), places[0]));
  }

  #readAt(at) {
    if (!this.x || at === this.at) return;
    this.at = at;
    this.cross.setAttribute("visibility", at === null ? "hidden" : "visible");
    if (at !== null) for (const end of ["x1", "x2"]) this.cross.setAttribute(end, this.x.at(at));
    this.#say();
  }

  #key(event) {
    const places = this.lines[0]?.points.map(([x]) => x) ?? [];
    const i = places.indexOf(this.at);
    const next = { ArrowRight: Math.min(i + 1, places.length - 1), ArrowLeft: Math.max(i - 1, 0), Home: 0, End: places.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#readAt(places[next]);
  }

  /** The names of the curves with what they show at the pointer, or at their ends. */
  #say() {
    const value = ({ points }) => (points.find(([x]) => x === this.at) ?? points.at(-1))[1];
    const where = `${this.spec.x} ${whole(this.at ?? this.lines[0].points.at(-1)[0])}`;
    if (this.legend.childElementCount !== this.lines.length + 1) {
      fill(this.legend, this.lines.map(() => h("span", { class: "ti-key" }, h("i"), h("span"), h("b", { class: "play-number" }))), h("span", { class: "ti-where play-number" }));
    }
    this.lines.forEach((line, i) => {
      const [swatch, name, reading] = this.legend.children[i].children;
      swatch.style.background = line.colour;
      setText(name, line.name);
      setText(reading, number(value(line)));
    });
    setText(this.legend.lastChild, where);
    this.area.setAttribute("aria-label", `${this.spec.label}. ${where}: ${this.lines.map((line) => `${line.name} ${number(value(line))}`).join("; ")}`);
  }
}
