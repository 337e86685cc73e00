// Small pictures with a caption, for the training views, and the map of what two of them differ by.

import { h } from "./explorer_dom.js";
import { setText } from "./dom.js";
import { t } from "./store.js";

const TOPS = [0.02, 0.05, 0.1, 0.2, 0.5, 1]; // of the map's scale, of a range of 0 to 1: those of the engine
const LEFT_OUT = 0.01; // of the pixels may lie beyond the top

// "Magma" (Smith & van der Walt, matplotlib): lightness grows evenly with the value.
const MAGMA = [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 80, 100], [251, 135, 97], [254, 194, 135], [252, 253, 191]];

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
}

/**
 * What two pictures of one size differ by at each pixel, and on the mean, on a scale of 0 to 1.
 * @returns {{values: Float32Array, width: number, height: number, mean: number}}
 */
export function differenceOf(a, b) {
  const [width, height] = [a.naturalWidth ?? a.width, a.naturalHeight ?? a.height];
  const [one, two] = [a, b].map((picture) => onWhite(picture, width, height));
  const values = new Float32Array(width * height);
  let total = 0;
  for (let i = 0; i < one.length; i += 4) {
    const by = (Math.abs(one[i] - two[i]) + Math.abs(one[i + 1] - two[i + 1]) + Math.abs(one[i + 2] - two[i + 2])) / 765;
    total += by;
    values[i / 4] = by;
  }
  return { values, width, height, mean: total / values.length };
}

/** The lowest top of the scale that nearly all of the differences lie below. */
export function topOf(differences) {
  const highest = Math.max(0, ...differences.map(({ values }) => values.slice().sort()[Math.floor((1 - LEFT_OUT) * (values.length - 1))]));
  return TOPS.find((top) => top >= highest) ?? TOPS.at(-1);
}

/** The heat map of a difference; `top` and beyond is the brightest. */
export function heatOf({ values, width, height }, top) {
  const out = new ImageData(width, height);
  values.forEach((by, i) => heat(by / top, out.data, 4 * i));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(out, 0, 0);
  return canvas;
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
export function heatScale() {
  const top = h("span", { class: "play-number" });
  const element = h("div", { class: "cy-scale play-note" }, h("span", {}, t("cyclegan.difference")), h("span", { class: "play-number" }, "0"), h("i"), top);
  return { element, set: (value) => setText(top, String(value)) };
}
