// Single tiles of a sheet: cut out, shown small, carried to another place.

import { h } from "./explorer_dom.js";

/** Cut tile `index` out of a decoded sheet, onto a canvas of its own. */
export function cut(image, sheet, index, canvas = document.createElement("canvas")) {
  const [tall, wide] = sheet.tile;
  Object.assign(canvas, { width: wide, height: tall });
  canvas.getContext("2d").drawImage(
    image, (index % sheet.columns) * wide, Math.floor(index / sheet.columns) * tall, wide, tall, 0, 0, wide, tall);
  return canvas;
}

/** A copy of a small canvas, `side` CSS pixels wide, with words for those who cannot see it. */
export function thumbnail(source, side, label) {
  const canvas = h("canvas", { class: "dc-thumb", role: "img", "aria-label": label, style: { width: `${side}px`, height: `${side}px` } });
  if (!source) return canvas;
  Object.assign(canvas, { width: source.width, height: source.height });
  canvas.getContext("2d").drawImage(source, 0, 0);
  if (side * (window.devicePixelRatio || 1) < 2 * source.width) canvas.classList.add("smooth");
  return canvas;
}

const FAR_PX = 6; // a press that moves further is a drag

/**
 * Let tiles be dragged with the mouse to an element with data-drop; a tap or click stays one.
 * @param {HTMLElement} element
 * @param {{grab: (event: PointerEvent) => {picture: HTMLCanvasElement}|null, drop: (target: HTMLElement, what: object) => void}} on
 * @returns {{moved: boolean}} whether the press that has just ended was a drag: its click is none
 */
export function draggable(element, on) {
  let held = null; // {x, y, what, ghost}
  const drag = { moved: false };

  element.addEventListener("pointerdown", (event) => {
    drag.moved = false;
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    const what = on.grab(event);
    if (what) held = { x: event.clientX, y: event.clientY, what, ghost: null, id: event.pointerId };
  });
  const move = (event) => {
    if (!held) return;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.ghost && Math.hypot(dx, dy) < FAR_PX) return;
    if (!held.ghost) begin();
    held.ghost.style.transform = `translate(${event.clientX - 24}px, ${event.clientY - 24}px)`;
    light(under(event));
  };
  const end = (event) => {
    if (!held) return;
    const { ghost, what } = held;
    held = null;
    if (!ghost) return;
    ghost.remove();
    document.body.classList.remove("dc-dragging");
    light(null);
    const target = event.type === "pointerup" ? under(event) : null;
    if (target) on.drop(target, what);
  };
  const begin = () => {
    drag.moved = true;
    held.ghost = h("div", { class: "dc-ghost" }, thumbnail(held.what.picture, 48, ""));
    document.body.append(held.ghost);
    document.body.classList.add("dc-dragging");
  };
  const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-drop]") ?? null;
  const light = (target) => {
    for (const place of document.querySelectorAll("[data-drop].over")) if (place !== target) place.classList.remove("over");
    target?.classList.add("over");
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", end);
  window.addEventListener("pointercancel", end);
  return drag;
}
