// A sketch pad on white beside the stage: every stroke crosses over at once.

import { button, h, paced, press, slider } from "./explorer_dom.js";
import { Pad } from "./pad.js";
import { ofCanvas } from "./crossing_own.js";
import { emit, t } from "./store.js";

const SOON_MS = 120;
const GROUND = "#ffffff";
const COLORS = ["#2b2b33", "#ffffff", "#ffcd38", "#f8812d", "#e5484d", "#f48fb1", "#8e5bd0", "#3b82e0", "#3fae5a", "#8a5a3c"];
const FIRST = 2;

export class Drawing {
  /**
   * @param {import("./crossing_state.js").Crossing} lab
   * @param {{onclose: () => void, input: () => HTMLCanvasElement|null}} calls `input`: the picture that crosses over now
   */
  constructor(lab, { onclose, input }) {
    Object.assign(this, { lab });
    this.soon = paced(() => this.#send(), SOON_MS);
    this.pad = new Pad({ label: t("crossing.pad_label"), ground: GROUND, color: COLORS[FIRST], onchange: () => this.soon() });
    this.pad.width = 28;
    const colors = h("div", { class: "x-line x-colors", role: "group", "aria-label": t("crossing.pad_colors") }, COLORS.map((color, i) => h("button", {
      type: "button", "aria-label": t(`crossing.color_${i}`), title: t(`crossing.color_${i}`), "aria-pressed": String(i === FIRST), style: { background: color },
      onclick: (event) => { this.pad.color = color; [...colors.children].forEach((c) => press(c, c === event.currentTarget)); },
    })));
    const width = slider({
      label: t("crossing.pad_width"), min: 4, max: 120, step: 2, value: this.pad.width, format: (v) => `${v} px`,
      oninput: (v) => { this.pad.width = v; },
    });
    const tool = (symbol, key, onclick) => button({ symbol, text: t(`crossing.${key}`), onclick });
    const over = tool("next", "pad_over", () => { const picture = input(); if (picture) this.pad.place(picture); });
    over.title = t("crossing.pad_over_help");
    this.element = h("div", { class: "x-stack cx-draw" }, this.pad.canvas, colors, width.element,
      h("div", { class: "x-line" }, tool("undo", "pad_undo", () => this.pad.undo()), tool("clear", "pad_clear", () => this.pad.clear()), over,
        button({ text: t("crossing.close"), kind: "small quiet", onclick: onclose })));
  }

  /** Let what is on the pad cross over. */
  #send() {
    if (this.pad.empty) return;
    const passing = Boolean(this.pad.active);
    this.lab.choose(ofCanvas(this.pad.canvas, t("crossing.your_drawing")), "draw", { passing });
    if (!passing) emit("tried", { what: "crossing", by: "draw", direction: this.lab.direction });
  }
}
