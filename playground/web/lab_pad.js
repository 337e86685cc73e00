// Draw your own data: a brush that sprays points, an eraser, a file; then it is a data set.

import { number, whole } from "./curves_format.js";
import { readPoints, FEWEST, MOST, Points } from "./lab_points.js";
import { button, choice, errorLine, h, inFrame, setText, slider } from "./explorer_dom.js";
import { Camera } from "./lab_camera.js";
import { colours } from "./lab_colours.js";
import { drawPoints, drawTicks } from "./lab_marks.js";
import { squareExtent } from "./lab_math.js";
import { announce, emit, idOf, on, t } from "./store.js";

const HOME = [-1.5, 1.5, -1.5, 1.5];
const PER_MOVE = 6; // points that the brush leaves at once
const STEP_PX = 16;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SPREAD = { min: 0.005, max: 0.3, step: 0.005, value: 0.04 };

export class Pad {
  /** @param {{onuse: (points: Points, file: File|null) => Promise<void>, onclose: () => void}} calls */
  constructor(calls) {
    Object.assign(this, { calls, tool: "brush", spread: SPREAD.value, cursor: null, file: null });
    this.points = new Points(() => this.#changed());
    this.request = inFrame(() => this.#draw());
    this.#build();
    this.camera = new Camera(this.canvas, () => this.request());
    this.camera.setHome(HOME);
    on("theme", () => this.request());
    new ResizeObserver(() => { this.camera.resized(); this.#draw(); }).observe(this.canvas);
    this.#changed();
  }

  #build() {
    this.canvas = h("canvas", {
      class: "lab-canvas lab-pad", tabindex: 0, role: "img", "aria-label": t("lab.pad_label"),
      onpointerdown: (e) => this.#down(e), onpointermove: (e) => this.#move(e), onpointerup: () => this.#up(),
      onpointercancel: () => this.#up(), onpointerleave: () => this.#leave(), onkeydown: (e) => this.#key(e),
    });
    this.tools = choice({
      label: t("lab.pad_tool"), value: "brush", options: ["brush", "eraser"].map((k) => [k, t(`lab.pad_${k}`)]),
      onchange: (tool) => { this.tool = tool; this.request(); },
    });
    this.width = slider({
      label: t("lab.pad_spread"), ...SPREAD, format: (v) => number(v, 2), oninput: (v) => { this.spread = v; this.request(); },
    });
    this.undo = button({ symbol: "undo", label: t("lab.pad_undo"), kind: "small quiet", onclick: () => this.points.undo() });
    this.clear = button({ symbol: "clear", label: t("lab.pad_clear"), kind: "small quiet", onclick: () => this.points.clear() });
    this.input = h("input", { type: "file", accept: ".csv,.tsv,.txt,.json", hidden: true, onchange: () => this.#files(this.input.files) });
    this.upload = button({ text: t("lab.pad_file"), symbol: "upload", label: t("lab.pad_file_help"), kind: "", onclick: () => this.input.click() });
    this.count = h("span", { class: "play-note play-number", role: "status" });
    this.failure = errorLine();
    this.use = button({ text: t("lab.pad_use"), kind: "primary", onclick: () => this.#use(), id: idOf("use") });
    const close = button({ text: t("lab.pad_close"), kind: "", onclick: () => this.calls.onclose() });
    this.empty = h("div", { class: "lab-message" }, t("lab.pad_hint"));
    this.stage = h("div", { class: "lab-stage" }, this.canvas, this.empty);
    this.element = h("div", { class: "lab-padbox", hidden: true,
      ondragover: (e) => { e.preventDefault(); this.stage.classList.add("dropping"); },
      ondragleave: () => this.stage.classList.remove("dropping"),
      ondrop: (e) => { e.preventDefault(); this.stage.classList.remove("dropping"); this.#files(e.dataTransfer.files); },
    }, this.stage,
    h("div", { class: "lab-padtools" }, this.tools.element, this.width.element, h("span", { class: "x-tools" }, this.undo, this.clear)),
    this.failure.element,
    h("div", { class: "lab-padtools" }, this.use, close, this.upload, this.input, this.count));
  }

  /** Show the pad; what was drawn before is still there. */
  open() {
    this.element.hidden = false;
    this.failure.clear();
    this.camera.resized();
    this.#draw();
    this.canvas.focus({ preventScroll: true });
  }

  close() {
    this.element.hidden = true;
  }

  // ---- drawing by pointer and keys ------------------------------------------------------------------

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return this.camera.toMap(event.clientX - box.left, event.clientY - box.top);
  }

  #down(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.points.begin();
    this.drawing = true;
    this.#stroke(this.#place(event));
  }

  #move(event) {
    this.cursor = this.#place(event);
    if (this.drawing) {
      const parts = event.getCoalescedEvents?.() ?? [];
      for (const part of parts.length ? parts : [event]) this.#stroke(this.#place(part));
    }
    this.request();
  }

  #up() {
    this.drawing = false;
  }

  #leave() {
    this.cursor = null;
    this.request();
  }

  #stroke(place) {
    if (this.tool === "brush") this.points.spray(place, this.spread, PER_MOVE);
    else this.points.erase(place, this.#reach());
    this.cursor = place;
    this.file = null;
  }

  /** The eraser's radius: what the brush covers, and never too small to see. */
  #reach() {
    return Math.max(2 * this.spread, 8 / this.camera.scale());
  }

  #key(event) {
    const undo = (event.ctrlKey || event.metaKey) && event.key === "z";
    const way = KEYS[event.key];
    const spray = event.key === " " || event.key === "Enter";
    if (!undo && !way && !spray) return;
    event.preventDefault();
    event.stopPropagation(); // space and arrows steer the run elsewhere on the page
    if (undo) return void this.points.undo();
    const [x, y] = this.cursor ?? [0, 0];
    const step = (event.shiftKey ? 4 : 1) * (STEP_PX / this.camera.scale());
    if (way) this.cursor = [x + way[0] * step, y + way[1] * step];
    else {
      this.points.begin();
      for (let i = 0; i < 5; i += 1) this.#stroke([x, y]);
    }
    this.request();
  }

  // ---- a file -----------------------------------------------------------------------------------------

  async #files(list) {
    const file = list?.[0];
    this.input.value = "";
    if (!file) return;
    this.failure.clear();
    try {
      const xy = readPoints(await file.text());
      if (xy && xy.length <= 2 * MOST) {
        this.points.place(xy);
        this.camera.setHome(inside(xy) ? HOME : squareExtent(xy));
        this.camera.fit();
        announce(t("lab.pad_read", { n: whole(xy.length / 2), name: file.name }));
      } else await this.#send(file); // the server says which line is at fault
    } catch (error) {
      this.failure.show(error);
    }
  }

  // ---- use it -----------------------------------------------------------------------------------------

  async #use() {
    this.failure.clear();
    await this.#send(null);
  }

  async #send(file) {
    this.use.disabled = true;
    try {
      await this.calls.onuse(this.points, file);
      emit("tried", { what: "draw_data", count: this.points.count });
    } catch (error) {
      this.failure.show(error);
    } finally {
      this.#changed();
    }
  }

  // ---- what is shown --------------------------------------------------------------------------------

  #changed() {
    if (!this.points.count && this.camera) this.camera.setHome(HOME);
    const { count } = this.points;
    this.undo.disabled = !this.points.undoable;
    this.clear.disabled = count === 0;
    this.use.disabled = count < FEWEST;
    this.empty.hidden = count > 0;
    setText(this.count, count >= MOST ? t("lab.pad_full", { most: whole(MOST) })
      : count < FEWEST ? t("lab.pad_few", { n: whole(count), least: FEWEST }) : t("lab.pad_count", { n: whole(count) }));
    this.request?.();
  }

  #draw() {
    const { clientWidth: w, clientHeight: hgt } = this.canvas;
    if (!w || !hgt) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const size = [Math.round(w * ratio), Math.round(hgt * ratio)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
    const ctx = this.canvas.getContext("2d", { alpha: false });
    const look = colours();
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = look.paper;
    ctx.fillRect(0, 0, w, hgt);
    const view = { px: this.camera.projection(), width: w, height: hgt, ratio, scale: this.camera.scale(), range: this.camera.now };
    drawTicks(ctx, view, look);
    drawPoints(ctx, view, this.points.xy, { colour: look.real, radius: 1.9, halo: look.halo, alpha: 0.85 });
    if (this.cursor) drawBrush(ctx, view, this.cursor, (this.tool === "brush" ? 2 * this.spread : this.#reach()) * view.scale, look);
  }
}

const inside = (xy) => xy.every((v) => Math.abs(v) <= HOME[1]) && xy.some((v) => Math.abs(v) > 0.5);

function drawBrush(ctx, view, place, radius, { ink }) {
  const [x, y] = view.px(place);
  ctx.beginPath();
  ctx.arc(x, y, Math.max(radius, 4), 0, 2 * Math.PI);
  ctx.strokeStyle = ink;
  ctx.lineWidth = 1.2;
  ctx.stroke();
}
