// Pictures and sheets of pictures on canvases: whole-number enlargement, so that pixels stay crisp.

import { loadImage } from "./decode.js";
import { h } from "./explorer_dom.js";

/** The side in CSS pixels, near `wanted`, that enlarges a tile of `shape` a whole number of times. */
export function tileSize(shape, wanted) {
  const side = shape[shape.length - 1];
  return side * Math.max(1, Math.round(wanted / side));
}

const cache = new Map(); // src -> Promise<HTMLImageElement>, the newest few

/** The decoded image of a payload. */
export function decoded(payload) {
  const { src } = payload;
  if (cache.has(src)) return cache.get(src);
  const image = payload.type === "picture" ? loadSmall(src) : loadImage(src);
  cache.set(src, image);
  if (cache.size > 60) cache.delete(cache.keys().next().value);
  image.catch(() => cache.delete(src));
  return image;
}

/** A small picture is decoded when it is drawn: waiting for the decoder's thread takes longer. */
function loadSmall(src) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("The picture could not be read."));
    image.src = src;
  });
}

/** One picture, enlarged. */
export class PictureView {
  /** @param {{size: number, label: string, shape?: number[]}} options size in CSS pixels, about */
  constructor({ size, label, shape = [1, 28, 28] }) {
    this.wanted = size;
    this.element = h("canvas", { class: "x-picture", role: "img", "aria-label": label });
    this.reshape(shape);
  }

  reshape(shape) {
    const side = tileSize(shape, this.wanted);
    this.element.style.width = this.element.style.height = `${side}px`;
    return side;
  }

  /** Draw a picture payload; resolves when it is drawn. */
  async show(payload, label = payload.alt) {
    const image = await decoded(payload);
    this.draw(image, label);
  }

  draw(image, label) {
    const { element } = this;
    const [w, hgt] = [image.naturalWidth ?? image.width, image.naturalHeight ?? image.height];
    if (element.width !== w) element.width = w;
    if (element.height !== hgt) element.height = hgt;
    element.getContext("2d").drawImage(image, 0, 0);
    element.classList.add("filled");
    if (label) element.setAttribute("aria-label", label);
  }

  clear() {
    this.element.getContext("2d").clearRect(0, 0, this.element.width, this.element.height);
    this.element.classList.remove("filled");
  }
}

/**
 * Draw tiles of a decoded sheet on a canvas, each `side` CSS pixels wide, `gap` apart.
 * `indices` chooses and orders the tiles; `columns` of them stand in a row.
 */
export function paintTiles(canvas, image, sheet, { side, gap = 0, indices, columns }) {
  const [h0, w0] = sheet.tile;
  const ratio = window.devicePixelRatio || 1;
  const tall = (side * h0) / w0;
  const rows = Math.ceil(indices.length / columns);
  const width = columns * side + (columns - 1) * gap;
  const height = rows * tall + (rows - 1) * gap;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = side * ratio < 2 * w0 && Math.abs(side * ratio - w0) > 0.5;
  context.imageSmoothingQuality = "high";
  indices.forEach((index, k) => {
    const [sx, sy] = [(index % sheet.columns) * w0, Math.floor(index / sheet.columns) * h0];
    const left = Math.round((k % columns) * (side + gap) * ratio);
    const right = Math.round(((k % columns) * (side + gap) + side) * ratio);
    const top = Math.round(Math.floor(k / columns) * (tall + gap) * ratio);
    const bottom = Math.round((Math.floor(k / columns) * (tall + gap) + tall) * ratio);
    context.drawImage(image, sx, sy, w0, h0, left, top, right - left, bottom - top);
  });
}

/** The side in CSS pixels of `columns` tiles in `width`: a whole enlargement where that loses little room. */
export function fittingSide(sheet, columns, width, gap, most = Infinity) {
  const room = Math.min((width - (columns - 1) * gap) / columns, most);
  const ratio = window.devicePixelRatio || 1;
  const times = (room * ratio) / sheet.tile[1];
  const whole = Math.floor(times);
  return times >= 2 && whole / times > 0.85 ? (whole * sheet.tile[1]) / ratio : Math.max(Math.floor(room), 4);
}

/** Save a canvas as a PNG file. */
export function download(canvas, name) {
  canvas.toBlob((blob) => {
    const link = h("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
