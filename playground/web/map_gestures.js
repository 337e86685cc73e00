// What pointer, wheel and keys do on the plot area. Plotly's own dragging and hovering are off:
// its hover costs 40 ms a move, and touch needs other rules than the mouse.

const CLICK_PX = 4;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * Listen on the plot area. Calls, with map coordinates u:
 * hover(px, py, u, event), leave(), click(u, event), move(direction, large), enter(), fit(),
 * zoom(factor, u), pan(dx, dy), box(mode, extent, done), lasso(us, done).
 */
export class Gestures {
  /**
   * @param {HTMLElement} area
   * @param {import("./map_range.js").MapRange} range
   * @param {Object<string, Function>} calls
   */
  constructor(area, range, calls) {
    Object.assign(this, { area, range, calls });
    this.mode = "pan"; // pan | zoom | lasso | frame
    this.fingers = new Map();
    const listen = (type, fn, options) => area.addEventListener(type, fn, options);
    listen("pointerdown", (event) => this.#down(event));
    listen("pointermove", (event) => this.#move(event));
    listen("pointerup", (event) => this.#up(event));
    listen("pointercancel", (event) => this.#cancel(event));
    listen("pointerleave", (event) => { if (event.pointerType !== "touch") calls.leave(); });
    listen("dblclick", (event) => { event.preventDefault(); calls.fit(); });
    listen("wheel", (event) => this.#wheel(event), { passive: false });
    listen("keydown", (event) => this.#key(event));
    listen("blur", () => calls.leave());
  }

  setMode(mode) {
    this.mode = mode;
    this.area.dataset.mode = mode;
  }

  #place(event) {
    const box = this.area.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #down(event) {
    if (event.button !== 0) return;
    const [px, py] = this.#place(event);
    this.fingers.set(event.pointerId, [px, py]);
    if (this.fingers.size === 2) return this.#pinchBegins();
    this.start = { px, py, range: [...this.range.now], touch: event.pointerType === "touch" };
    this.trail = [[px, py]];
    this.dragging = false;
    this.area.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const [px, py] = this.#place(event);
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, [px, py]);
    if (this.pinch) return this.#pinchMoves();
    if (!this.start) return this.calls.hover(px, py, this.range.toMap(px, py), event);
    const far = Math.hypot(px - this.start.px, py - this.start.py) > CLICK_PX;
    if (!this.dragging && !far) return undefined;
    this.dragging = true;
    return this.#drag(px, py, event);
  }

  #drag(px, py, event) {
    // One finger looks at decodings while it slides; pages scroll by vertical swipes, maps by two fingers.
    if (this.start.touch && this.mode === "pan") return this.calls.hover(px, py, this.range.toMap(px, py), event);
    this.calls.leave();
    if (this.mode === "pan") return this.#panTo(px, py);
    if (this.mode === "lasso") {
      this.trail.push([px, py]);
      return this.calls.lasso(this.#trailOnMap(), false);
    }
    return this.calls.box(this.mode, this.#boxTo(px, py), false);
  }

  #panTo(px, py) {
    const [x0, x1] = this.start.range;
    const unit = (x1 - x0) / this.range.area().width;
    const [nx0, , ny0] = this.range.now;
    const wanted = [this.start.range[0] - (px - this.start.px) * unit, this.start.range[2] + (py - this.start.py) * unit];
    this.calls.pan(wanted[0] - nx0, wanted[1] - ny0);
  }

  #boxTo(px, py) {
    const [ax, ay] = this.range.toMap(this.start.px, this.start.py);
    const { width, height } = this.range.area();
    const [bx, by] = this.range.toMap(Math.min(Math.max(px, 0), width), Math.min(Math.max(py, 0), height));
    return [Math.min(ax, bx), Math.max(ax, bx), Math.min(ay, by), Math.max(ay, by)];
  }

  #trailOnMap() {
    return this.trail.map(([px, py]) => this.range.toMap(px, py));
  }

  #up(event) {
    this.fingers.delete(event.pointerId);
    if (this.pinch) {
      if (!this.fingers.size) this.pinch = null;
      this.start = null;
      return;
    }
    if (!this.start) return;
    const [px, py] = this.#place(event);
    const { touch } = this.start;
    const done = this.dragging ? () => this.#finish(px, py) : () => this.calls.click(this.range.toMap(px, py), event);
    const looked = touch && this.mode === "pan" && this.dragging;
    if (looked) this.calls.leave();
    else done();
    if (touch && !this.dragging) this.calls.hover(px, py, this.range.toMap(px, py), event);
    this.start = null;
    this.dragging = false;
  }

  #finish(px, py) {
    if (this.mode === "lasso") this.calls.lasso(this.#trailOnMap(), true);
    else if (this.mode !== "pan") this.calls.box(this.mode, this.#boxTo(px, py), true);
  }

  #cancel(event) {
    this.fingers.delete(event.pointerId);
    this.start = this.pinch = null;
    this.dragging = false;
    this.calls.leave();
    this.calls.box(this.mode, null, false);
  }

  #pinchState() {
    const [a, b] = [...this.fingers.values()];
    return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, d: Math.max(Math.hypot(a[0] - b[0], a[1] - b[1]), 10) };
  }

  #pinchBegins() {
    this.calls.leave();
    this.pinch = this.#pinchState();
  }

  #pinchMoves() {
    if (this.fingers.size < 2) return;
    const now = this.#pinchState();
    const before = this.range.toMap(this.pinch.x, this.pinch.y);
    const after = this.range.toMap(now.x, now.y);
    this.calls.pan(before[0] - after[0], before[1] - after[1]);
    this.calls.zoom(now.d / this.pinch.d, before);
    this.pinch = now;
  }

  /** The wheel zooms once the map has been clicked, or with Ctrl; else the page scrolls. */
  #wheel(event) {
    if (!event.ctrlKey && document.activeElement !== this.area) return;
    event.preventDefault();
    const [px, py] = this.#place(event);
    const lines = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018));
    this.calls.zoom(Math.min(Math.max(factor, 0.5), 2), this.range.toMap(px, py));
    this.calls.hover(px, py, this.range.toMap(px, py), event);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { key } = event;
    const act = {
      Enter: () => this.calls.enter(), "+": () => this.calls.zoom(1.4), "=": () => this.calls.zoom(1.4),
      "-": () => this.calls.zoom(1 / 1.4), 0: () => this.calls.fit(), Escape: () => this.calls.box(this.mode, null, false),
    }[key] ?? (KEYS[key] ? () => this.calls.move(KEYS[key], event.shiftKey) : null);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation(); // arrows and space steer the run elsewhere on the page
    act();
  }
}
