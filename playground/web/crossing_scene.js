// What the stage shows: pictures by name, from an answer, a live run's sheet, or a past frame.

import { tileBox } from "./decode.js";
import { h } from "./explorer_dom.js";
import { decoded } from "./views_pictures.js";

const ROWS = { a2b: [0, 1, 2], b2a: [3, 4, 5] }; // of a live sheet: the picture, over, and back
const SQUARE = [1, 1];
const PARTS = ["input", "output", "cycle", "identity", "residual", "patches", "truth"];

/**
 * @typedef {{image: CanvasImageSource, box?: number[]}} Part box: the part of the image, in its pixels
 * @typedef {{shape: [number, number], parts: Object<string, Part>, values: object, partial?: boolean}} Scene
 *   shape: width, height; partial: more parts follow at once
 */

/**
 * What is to be seen now; null when there is nothing yet.
 * @param {import("./crossing_state.js").Crossing} lab
 * @param {boolean} fresh whether the live sheet is newer than the answer
 * @returns {Promise<Scene|null>}
 */
export async function sceneOf(lab, fresh) {
  if (lab.past) return onlySheet(lab.past.sheet, lab);
  const answered = lab.answer ? await ofAnswer(lab) : null;
  const sheet = fresh && lab.live ? lab.sheet : null;
  if (!answered) return sheet ? onlySheet(sheet, lab) : null;
  if (!sheet || !lab.led) return answered;
  const { output, cycle } = await ofSheet(sheet, lab, answered.shape);
  return { ...answered, parts: { ...answered.parts, output, ...(answered.parts.cycle ? { cycle } : {}) } };
}

async function ofAnswer({ answer }) {
  const { items, values, chosen } = answer;
  const found = await Promise.all(PARTS.filter((name) => items[name]).map(async (name) => [name, { image: await decoded(items[name]) }]));
  const parts = Object.fromEntries(found);
  if (chosen.canvas) parts.input = { image: chosen.canvas };
  const { image } = parts.output ?? parts.input;
  const shape = [values.width ?? image.naturalWidth ?? image.width, values.height ?? image.naturalHeight ?? image.height];
  return { shape, parts, values, partial: answer.partial };
}

async function onlySheet(sheet, lab) {
  return { shape: SQUARE, parts: await ofSheet(sheet, lab, SQUARE), values: {} };
}

/** The chosen picture of a sheet, over and back, without the ground that fills it up to a square. */
async function ofSheet(sheet, { direction, column }, [width, height]) {
  const image = await decoded(sheet);
  const [input, output, cycle] = ROWS[direction].map((row) => {
    const [x, y, w, h] = tileBox(sheet, row * sheet.columns + column);
    const scale = Math.min(w / width, h / height);
    const [pw, ph] = [width * scale, height * scale];
    return { image, box: [x + (w - pw) / 2, y + (h - ph) / 2, pw, ph] };
  });
  return { input, output, cycle };
}

/**
 * A past frame, small enough for the timeline's strip: two translations each way.
 * @returns {HTMLCanvasElement}
 */
export function thumbnail(sheet) {
  const [width, height] = [88, 80];
  const canvas = h("canvas", { width, height });
  decoded(sheet).then((image) => {
    const context = canvas.getContext("2d");
    [ROWS.a2b[1], ROWS.b2a[1]].forEach((row, down) => [0, 1].forEach((column) => {
      context.drawImage(image, ...tileBox(sheet, row * sheet.columns + column), (column * width) / 2, (down * height) / 2, width / 2, height / 2);
    }));
  }, () => {}); // a frame that cannot be read has no picture
  return canvas;
}

/** Draw a part on a canvas, pixel for pixel. */
export function drawPart(canvas, part) {
  const { image, box } = part;
  const [x, y, w, h] = box ?? [0, 0, image.naturalWidth ?? image.width, image.naturalHeight ?? image.height];
  canvas.width = Math.max(1, Math.round(w));
  canvas.height = Math.max(1, Math.round(h));
  canvas.getContext("2d").drawImage(image, x, y, w, h, 0, 0, canvas.width, canvas.height);
  canvas.classList.add("filled");
}

/** Empty a canvas. */
export function blank(canvas) {
  canvas.width = canvas.height = 1;
  canvas.classList.remove("filled");
}
