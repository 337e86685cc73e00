/** The strip of small pictures along the slider: a few frames, evenly spaced. */

import { fill, h } from "./curves_dom.js";

const WIDTH = 46;
const TILES = 3; // of a sheet, its middle: more would be too small to see

/** @returns {{element: HTMLElement, update: (frames: object[]) => void}} */
export function strip() {
  const element = h("div", { class: "mon-strip", "aria-hidden": "true" });
  let drawn = "";
  const update = (frames) => {
    const room = Math.max(2, Math.floor(element.clientWidth / WIDTH));
    const chosen = spread(frames.filter((f) => pictureOf(f)), room);
    const key = chosen.map((f) => f.step).join();
    if (key === drawn) return;
    drawn = key;
    const known = new Map([...element.children].map((node) => [node.dataset.step, node]));
    fill(element, chosen.map((frame) => known.get(String(frame.step)) ?? small(frame)));
  };
  return { element, update };
}

function small(frame) {
  const { rows = 1, columns = 1 } = sheetOf(frame);
  const style = { height: `${100 * Math.max(1, Math.min(rows, columns) / TILES)}%` };
  const image = h("img", { src: pictureOf(frame), alt: "", decoding: "async", draggable: "false", style });
  return h("span", { class: "mon-thumb", dataset: { step: frame.step } }, image);
}

/** The sheet or picture of a frame that can stand for it, or null. */
export function pictureOf(frame) {
  return sheetOf(frame).src ?? null;
}

function sheetOf(frame) {
  const views = frame.views ?? {};
  return views.grid ?? Object.values(views).find((v) => v.src) ?? {};
}

function spread(frames, room) {
  if (frames.length <= room) return frames;
  const picks = Array.from({ length: room }, (_, i) => Math.round((i * (frames.length - 1)) / (room - 1)));
  return picks.map((i) => frames[i]);
}
