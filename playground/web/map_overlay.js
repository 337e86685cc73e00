// What stands on the map beside the codes: frame, ellipses, paths, markers. Drawn as SVG over the
// plot area in the map's coordinates, so that nothing here makes Plotly draw again.

import { svg } from "./explorer_dom.js";

const ORDER = ["frame", "samples", "mixture", "path", "near", "nearest", "drawing", "stops", "walker", "cell", "point", "band"];

/** Layers by name; each is a description in map coordinates, or null. */
export class Overlay {
  /**
   * @param {HTMLElement} area the plot area
   * @param {import("./map_range.js").MapRange} range
   */
  constructor(area, range) {
    this.range = range;
    this.specs = new Map();
    this.groups = new Map(ORDER.map((name) => [name, svg("g", { class: `x-layer-${name}` })]));
    this.element = svg("svg", { class: "x-overlay", "aria-hidden": "true" }, [...this.groups.values()]);
    area.append(this.element);
  }

  /** Show a layer: {kind: "rect" | "ellipse" | "path" | "dots" | "marker" | "lasso", …}, a list, or null. */
  set(name, spec) {
    this.specs.set(name, spec);
    this.#draw(name);
  }

  /** Draw all layers anew: the visible range has changed. */
  redraw() {
    for (const name of this.specs.keys()) this.#draw(name);
  }

  #draw(name) {
    const spec = this.specs.get(name);
    const list = spec ? [spec].flat() : [];
    this.groups.get(name).replaceChildren(...list.flatMap((one) => DRAW[one.kind](one, this.range)));
  }
}

const DRAW = { rect, ellipse, path, dots, marker, lasso };

function rect({ extent }, range) {
  const [x0, x1, y0, y1] = extent;
  const [left, top] = range.toPixel([x0, y1]);
  const [right, bottom] = range.toPixel([x1, y0]);
  return [svg("rect", { x: left, y: top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0), rx: 2 })];
}

/** The regions of 1 and 2 standard deviations. */
function ellipse({ center, radii, angle }, range) {
  const [cx, cy] = range.toPixel(center);
  const unit = range.scale();
  const degrees = (-angle * 180) / Math.PI;
  return [2, 1].map((sd) =>
    svg("ellipse", {
      cx, cy, rx: Math.max(radii[0] * sd * unit, 1), ry: Math.max(radii[1] * sd * unit, radii[1] ? 1 : 8),
      transform: `rotate(${degrees} ${cx} ${cy})`, class: `sd${sd}`,
    }));
}

function path({ us, closed }, range) {
  const points = us.map((u) => range.toPixel(u).map((v) => v.toFixed(1)).join(",")).join(" ");
  return [svg(closed ? "polygon" : "polyline", { points })];
}

function lasso(spec, range) {
  return path({ ...spec, closed: true }, range);
}

function dots({ us, radius = 3.5, labels }, range) {
  return us.flatMap((u, i) => {
    const [cx, cy] = range.toPixel(u);
    const dot = svg("circle", { cx, cy, r: radius });
    if (!labels) return [dot];
    return [dot, svg("text", { x: cx, y: cy, dy: "0.35em" }, labels[i])];
  });
}

/** Cross hairs with an open middle, so that the ellipse inside stays seen; `turn` in degrees. */
function marker({ u, turn = 0 }, range) {
  const [cx, cy] = range.toPixel(u);
  const d = [[1, 0], [-1, 0], [0, 1], [0, -1]].map(([x, y]) => `M${5 * x} ${5 * y}L${12 * x} ${12 * y}`).join("");
  const transform = `translate(${cx.toFixed(1)} ${cy.toFixed(1)}) rotate(${turn})`;
  return ["halo", "ring"].map((name) => svg("path", { d, transform, class: name }))
    .concat(svg("circle", { r: 5, transform, class: "eye" }));
}
