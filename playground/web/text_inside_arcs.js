// Arcs over a stretch of text, from one token to those that it looks at.

import { fill, svg } from "./dom.js";

const LEAST = 0.02; // of the attention
const MOST = 24; // arcs
const RISE = { least: 10, most: 30 }; // pixels

export class Arcs {
  constructor() {
    this.element = svg("svg", { class: "ti-arcs", "aria-hidden": "true" });
  }

  /** @param {{x: number, y: number, height: number}[]} boxes @param {number} at @param {number[]} weights */
  draw(boxes, at, weights) {
    const chosen = weights.map((weight, i) => [weight, i]).filter(([weight, i]) => weight >= LEAST && i !== at).sort((a, b) => b[0] - a[0]).slice(0, MOST);
    const from = boxes[at];
    fill(this.element, from ? chosen.reverse().map(([weight, i]) => svg("path", {
      d: arc(from, boxes[i]), style: { strokeWidth: `${(0.6 + 4.5 * weight).toFixed(2)}px`, opacity: (0.25 + 0.75 * Math.sqrt(weight)).toFixed(2) },
    })) : []);
  }
}

/** From the top of one token to the top of another: higher, the further they are apart. */
function arc(a, b) {
  const far = Math.hypot(a.x - b.x, a.y - b.y);
  const top = Math.min(a.y, b.y) - Math.min(RISE.most, RISE.least + far * 0.08);
  const control = `${a.x.toFixed(1)} ${top.toFixed(1)} ${b.x.toFixed(1)} ${top.toFixed(1)}`;
  return `M${a.x.toFixed(1)} ${a.y.toFixed(1)} C${control} ${b.x.toFixed(1)} ${b.y.toFixed(1)}`;
}
