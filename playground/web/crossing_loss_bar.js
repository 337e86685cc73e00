// What both generators minimise, as one bar of weighted losses; and the choice of a picture.

import { h, press, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { shown } from "./decode.js";
import { cut } from "./dcgan_tiles.js";
import { t } from "./store.js";

/** The weighted losses, one after another: how much of the whole each is. */
export class LossBar {
  constructor() {
    this.said = h("h4", { class: "x-sub" });
    this.total = h("b", { class: "play-number" });
    this.bar = h("div", { class: "cy-bar", role: "img" });
    this.legend = h("ul", { class: "cy-legend" });
    this.element = h("div", { class: "cy-total" }, h("div", { class: "cy-total-head" }, this.said, this.total), this.bar, this.legend);
  }

  /**
   * @param {string} model
   * @param {Object<string, number>} weights
   * @param {Object<string, (number|null)[]>} values of both directions
   * @param {boolean} trains whether the values are those of training
   */
  set(model, weights, values, trains) {
    const parts = Object.keys(weights).map((loss) => {
      const both = (values[loss] ?? []).filter((v) => v != null);
      return { loss, both, part: both.length ? weights[loss] * both.reduce((a, b) => a + b, 0) : null };
    });
    const total = parts.reduce((sum, { part }) => sum + (part ?? 0), 0);
    const known = parts.some(({ part }) => part !== null);
    this.element.classList.toggle("empty", !known);
    setText(this.said, t(trains ? "cyclegan.total_training" : "cyclegan.total_held_out"));
    setText(this.total, known ? shown(total) : "–");
    const drawn = parts.map(({ loss }) => loss).join();
    if (this.drawn !== drawn) {
      this.drawn = drawn;
      this.segments = parts.map(({ loss }) => h("i", { dataset: { loss } }));
      this.entries = parts.map(({ loss }) => ({ value: h("span", { class: "play-number" }), loss }));
      fill(this.bar, this.segments);
      fill(this.legend, this.entries.map(({ value, loss }) => h("li", { dataset: { loss } }, h("i", { class: "cy-dot" }), t(`cyclegan.loss.${loss}`), " ", value)));
    }
    parts.forEach(({ loss, both, part }, i) => {
      this.segments[i].style.width = `${total > 0 ? (100 * (part ?? 0)) / total : 0}%`;
      setText(this.entries[i].value, part === null ? "–" : t("cyclegan.part", { weight: shown(weights[loss]), sum: both.map((v) => shown(v)).join(" + "), part: shown(part) }));
    });
    this.bar.setAttribute("aria-label", parts.map(({ loss, part }) => `${t(`cyclegan.loss.${loss}`)} ${shown(part)}`).join(", "));
  }
}

/** A strip of the held-out pictures: one of each domain in a column, to choose from. */
export class ColumnPicker {
  /** @param {(column: number) => void} onpick */
  constructor(onpick) {
    this.onpick = onpick;
    this.buttons = [];
    this.element = h("div", { class: "cy-columns", role: "group", "aria-label": t("cyclegan.columns") });
  }

  draw(image, sheet, column, domains) {
    if (this.buttons.length !== sheet.columns) this.#build(sheet.columns);
    this.buttons.forEach(({ button, canvases }, i) => {
      press(button, i === column);
      canvases.forEach((canvas, k) => cut(image, sheet, i + 3 * k * sheet.columns, canvas));
      button.title = t("cyclegan.column", { n: i + 1, a: domains?.[0] ?? "A", b: domains?.[1] ?? "B" });
      button.setAttribute("aria-label", button.title);
    });
  }

  #build(count) {
    this.buttons = Array.from({ length: count }, (_, i) => {
      const canvases = [h("canvas"), h("canvas")];
      const button = h("button", { type: "button", class: "cy-column", onclick: () => this.onpick(i) }, canvases);
      return { button, canvases };
    });
    fill(this.element, this.buttons.map(({ button }) => button));
  }
}
