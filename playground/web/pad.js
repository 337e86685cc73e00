// A sketch pad, by mouse, touch or pen: light strokes on black unless told otherwise; the last
// stroke can be undone.

import { h } from "./explorer_dom.js";
import { dataURL } from "./pad_files.js";

const SIDE = 280;

export class Pad {
  /**
   * @param {{label: string, onchange: () => void, ground?: string, color?: string}} options
   *   `onchange` is called at every bit of a stroke
   */
  constructor({ label, onchange, ground = "#000000", color = "#ffffff" }) {
    Object.assign(this, { onchange, ground, color, strokes: [], width: 20, image: null });
    this.canvas = h("canvas", {
      class: "x-pad", width: SIDE, height: SIDE, tabindex: 0, role: "img", "aria-label": label,
      onpointerdown: (event) => this.#begin(event), onpointermove: (event) => this.#go(event),
      onpointerup: () => this.#end(), onpointercancel: () => this.#end(), onkeydown: (event) => this.#key(event),
    });
    this.draw();
  }

  get empty() {
    return !this.strokes.length && !this.image;
  }

  /** Whether only a picture lies on the pad, and nothing was drawn over it. */
  get photo() {
    return Boolean(this.image) && !this.strokes.length;
  }

  undo() {
    if (this.strokes.length) this.strokes.pop();
    else this.image = null;
    this.draw();
    this.onchange();
  }

  clear() {
    this.strokes = [];
    this.image = null;
    this.draw();
    this.onchange();
  }

  /** Lay a picture on the pad (a canvas), whole and centred. */
  place(image) {
    this.strokes = [];
    this.image = image;
    this.draw();
    this.onchange();
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height];
  }

  #begin(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.active = { width: this.width, color: this.color, points: [this.#point(event)] };
    this.strokes.push(this.active);
    this.draw();
    this.onchange();
  }

  #go(event) {
    if (!this.active) return;
    const parts = event.getCoalescedEvents?.() ?? [];
    for (const part of parts.length ? parts : [event]) this.active.points.push(this.#point(part));
    this.draw();
    this.onchange();
  }

  #end() {
    if (!this.active) return;
    this.active = null;
    this.onchange();
  }

  #key(event) {
    const undo = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (!undo && event.key !== "Delete" && event.key !== "Backspace") return;
    event.preventDefault();
    event.stopPropagation();
    if (undo) this.undo();
    else this.clear();
  }

  draw() {
    const context = this.canvas.getContext("2d");
    context.fillStyle = this.ground;
    context.fillRect(0, 0, SIDE, SIDE);
    if (this.image) this.#drawImage(context);
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) drawStroke(context, stroke);
  }

  #drawImage(context) {
    const { width, height } = this.image;
    const scale = Math.min(SIDE / width, SIDE / height);
    const [w, hgt] = [width * scale, height * scale];
    context.drawImage(this.image, (SIDE - w) / 2, (SIDE - hgt) / 2, w, hgt);
  }

  /** What is on the pad, as a data URL: the picture itself when nothing was drawn over it. */
  read() {
    return dataURL(this.photo ? this.image : this.canvas);
  }
}

/** A smooth line through the points: curves between their middles. */
function drawStroke(context, { points, width, color }) {
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = width;
  context.beginPath();
  const [x, y] = points[0];
  if (points.length === 1) {
    context.arc(x, y, width / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.moveTo(x, y);
  for (let i = 1; i < points.length - 1; i += 1) {
    const [ax, ay] = points[i];
    const [bx, by] = points[i + 1];
    context.quadraticCurveTo(ax, ay, (ax + bx) / 2, (ay + by) / 2);
  }
  context.lineTo(...points[points.length - 1]);
  context.stroke();
}
