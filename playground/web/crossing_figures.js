// Small pictures with a caption, for the training views, and the map of what two of them differ by.

import { h } from "./explorer_dom.js";
import { cut } from "./dcgan_tiles.js";
import { setText } from "./dom.js";
import { t } from "./store.js";

/** The difference, on a scale of 0 to 1, that has the brightest colour of the map. */
export const HEAT_MOST = 0.2;

// "Magma" (Smith & van der Walt, matplotlib): lightness grows evenly with the value.
const MAGMA = [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 80, 100], [251, 135, 97], [254, 194, 135], [252, 253, 191]];

/** The rows of the sheet "translations". */
export const SHEET_ROWS = ["a", "a2b", "a_back", "b", "b2a", "b_back", "same_b", "same_a"];

/** The pictures of one column of the sheet, by the names of its rows. */
export function columnOf(image, sheet, column) {
  const rows = SHEET_ROWS.slice(0, sheet.rows);
  return Object.fromEntries(rows.map((name, i) => [name, cut(image, sheet, i * sheet.columns + column)]));
}

/** A picture with a caption under it. */
export class Figure {
  /** @param {{caption?: string|Node, label?: string, kind?: string}} options `label`: what it shows, for those who cannot see it */
  constructor({ caption = "", label = "", kind = "" } = {}) {
    this.canvas = h("canvas", { role: "img", "aria-label": label });
    this.place = h("div", { class: "cy-picture" }, this.canvas);
    this.caption = h("figcaption", {}, caption);
    this.element = h("figure", { class: `cy-figure ${kind}`.trim() }, this.place, this.caption);
  }

  /** Draw a canvas or a decoded image, in its own pixels. */
  draw(source, label) {
    const [wide, tall] = [source.naturalWidth ?? source.width, source.naturalHeight ?? source.height];
    const { canvas } = this;
    if (canvas.width !== wide) canvas.width = wide;
    if (canvas.height !== tall) canvas.height = tall;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, wide, tall);
    context.drawImage(source, 0, 0);
    canvas.classList.toggle("crisp", wide <= 128);
    this.element.classList.add("filled");
    if (label) canvas.setAttribute("aria-label", label);
  }

  /** Lay a half transparent picture over it; null takes it off. */
  lay(image) {
    this.over?.remove();
    this.over = image ? h("img", { class: "cy-over", alt: "", src: image.src }) : null;
    if (image) this.place.append(this.over);
  }

  say(text) {
    setText(this.caption, text);
  }

  clear() {
    this.lay(null);
    this.element.classList.remove("filled");
  }
}

/**
 * What two pictures of one size differ by: a heat map, and the mean on a scale of 0 to 1.
 * @returns {{canvas: HTMLCanvasElement, mean: number}}
 */
export function differenceOf(a, b, most = HEAT_MOST) {
  const { width, height } = a;
  const [one, two] = [a, b].map((picture) => onWhite(picture, width, height));
  const out = new ImageData(width, height);
  let total = 0;
  for (let i = 0; i < one.length; i += 4) {
    const by = (Math.abs(one[i] - two[i]) + Math.abs(one[i + 1] - two[i + 1]) + Math.abs(one[i + 2] - two[i + 2])) / 765;
    total += by;
    heat(by / most, out.data, i);
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(out, 0, 0);
  return { canvas, mean: total / (width * height) };
}

/** Pixels of a picture on white. */
export function onWhite(picture, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

function heat(share, data, at) {
  const place = Math.min(Math.max(share, 0), 1) * (MAGMA.length - 1);
  const low = Math.min(Math.floor(place), MAGMA.length - 2);
  for (let c = 0; c < 3; c += 1) data[at + c] = MAGMA[low][c] + (place - low) * (MAGMA[low + 1][c] - MAGMA[low][c]);
  data[at + 3] = 255;
}

/** The scale of the heat maps: dark is no difference; `set` says what the brightest colour is. */
export function heatScale(most = HEAT_MOST) {
  const top = h("span", { class: "play-number" }, String(most));
  const element = h("div", { class: "cy-scale play-note" }, h("span", {}, t("cyclegan.difference")), h("span", { class: "play-number" }, "0"), h("i"), top);
  return { element, set: (value) => setText(top, String(value)) };
}
