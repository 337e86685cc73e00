// What both generators minimise, as one bar of weighted losses; and the choice of a picture.

import { h, press, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { number } from "./curves_format.js";
import { shown } from "./decode.js";
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
    setText(this.total, known ? number(total) : "–");
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
      setText(this.entries[i].value, part === null ? "–" : t("cyclegan.part", { weight: shown(weights[loss]), sum: both.map((v) => number(v)).join(" + "), part: number(part) }));
    });
    this.bar.setAttribute("aria-label", parts.map(({ loss, part }) => `${t(`cyclegan.loss.${loss}`)} ${number(part)}`).join(", "));
  }
}

/** A strip of pictures, one of each domain in a column, to choose from. */
export class ColumnPicker {
  /** @param {(column: number) => void} onpick */
  constructor(onpick) {
    this.onpick = onpick;
    this.buttons = new Map(); // column -> {button, canvases}
    this.element = h("div", { class: "cy-columns", role: "group", "aria-label": t("cyclegan.columns") });
  }

  /**
   * @param {{column: number, pictures: HTMLCanvasElement[], name: string}[]} columns
   * @param {number} chosen
   */
  draw(columns, chosen) {
    const keys = columns.map(({ column }) => column);
    if (String(keys) !== String([...this.buttons.keys()])) this.#build(keys);
    for (const { column, pictures, name } of columns) {
      const { button, canvases } = this.buttons.get(column);
      press(button, column === chosen);
      pictures.forEach((picture, k) => {
        Object.assign(canvases[k], { width: picture.width, height: picture.height });
        canvases[k].getContext("2d").drawImage(picture, 0, 0);
      });
      button.title = name;
      button.setAttribute("aria-label", name);
    }
  }

  #build(keys) {
    this.buttons = new Map(keys.map((column) => {
      const canvases = [h("canvas"), h("canvas")];
      return [column, { canvases, button: h("button", { type: "button", class: "cy-column", onclick: () => this.onpick(column) }, canvases) }];
    }));
    fill(this.element, [...this.buttons.values()].map(({ button }) => button));
  }
}
