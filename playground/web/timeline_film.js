/** The strip of small pictures along the slider: a few frames, evenly spaced. */

import { fill, h } from "./curves_dom.js";

const WIDTH = 46;
const TILES = 3; // of a sheet, its middle: more would be too small to see

/**
 * @param {{view: string, thumbnail?: (payload: object, step: number) => Node|null}} look the kept
 *   view that stands for a frame, and how it is drawn when it is no picture
 * @returns {{element: HTMLElement, update: (frames: object[]) => void}}
 */
export function strip({ view, thumbnail }) {
  const element = h("div", { class: "mon-strip", "aria-hidden": "true" });
  const payloadOf = (frame) => frame.views?.[view] ?? (thumbnail ? null : Object.values(frame.views ?? {}).find((v) => v.src));
  let drawn = "";
  const update = (frames) => {
    const room = Math.max(2, Math.floor(element.clientWidth / WIDTH));
    const chosen = spread(frames.filter(payloadOf), room);
    const key = chosen.map((f) => f.step).join();
    if (key === drawn) return;
    drawn = key;
    const known = new Map([...element.children].map((node) => [node.dataset.step, node]));
    fill(element, chosen.map((frame) => known.get(String(frame.step)) ?? small(frame, payloadOf(frame), thumbnail)));
  };
  return { element, update };
}

function small(frame, payload, thumbnail) {
  const picture = thumbnail ? thumbnail(payload, frame.step) : middle(payload);
  return h("span", { class: "mon-thumb", dataset: { step: frame.step } }, picture);
}

function middle({ src, rows = 1, columns = 1 }) {
  const style = { height: `${100 * Math.max(1, Math.min(rows, columns) / TILES)}%` };
  return h("img", { src, alt: "", decoding: "async", draggable: "false", style });
}

function spread(frames, room) {
  if (frames.length <= room) return frames;
  const picks = Array.from({ length: room }, (_, i) => Math.round((i * (frames.length - 1)) / (room - 1)));
  return picks.map((i) => frames[i]);
}
