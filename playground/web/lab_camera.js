// Which part of the plane is seen, with equal scales on both axes, until a person chooses another.

const MOST_IN = 400; // how far one can zoom in and out, against the usual part
const MOST_OUT = 12;

export class Camera {
  /** @param {HTMLElement} element the canvas that is looked at; @param {() => void} changed */
  constructor(element, changed) {
    Object.assign(this, { element, changed });
    this.home = [-1.5, 1.5, -1.5, 1.5]; // the usual part
    this.now = this.home;
    this.chosen = false; // whether a person moved away from it
  }

  area() {
    return { width: Math.max(this.element.clientWidth, 1), height: Math.max(this.element.clientHeight, 1) };
  }

  toPixel([x, y]) {
    const [x0, x1, y0, y1] = this.now;
    const { width, height } = this.area();
    return [((x - x0) / (x1 - x0)) * width, ((y1 - y) / (y1 - y0)) * height];
  }

  /** The same as `toPixel`, for many places at once: the canvas is measured only now. */
  projection() {
    const [x0, x1, y0, y1] = this.now;
    const { width, height } = this.area();
    const [sx, sy] = [width / (x1 - x0), height / (y1 - y0)];
    return ([x, y]) => [(x - x0) * sx, (y1 - y) * sy];
  }

  toMap(px, py) {
    const [x0, x1, y0, y1] = this.now;
    const { width, height } = this.area();
    return [x0 + (px / width) * (x1 - x0), y1 - (py / height) * (y1 - y0)];
  }

  /** Pixels of one unit. */
  scale() {
    return this.area().width / (this.now[1] - this.now[0]);
  }

  /** The data lie in another part of the plane: show it, unless a person chose where to look. */
  setHome(extent) {
    if (extent.every((v, i) => v === this.home[i])) return;
    this.home = [...extent];
    if (!this.chosen) this.resized();
  }

  /** Show the usual part again. */
  fit() {
    this.chosen = false;
    this.resized();
    this.changed();
  }

  zoom(factor, [x, y] = this.#middle()) {
    const [x0, x1, y0, y1] = this.now;
    const size = (this.home[1] - this.home[0]) / ((x1 - x0) / factor);
    if (size > MOST_IN || size < 1 / MOST_OUT) return;
    this.#choose([x - (x - x0) / factor, x + (x1 - x) / factor, y - (y - y0) / factor, y + (y1 - y) / factor]);
  }

  pan(dx, dy) {
    const [x0, x1, y0, y1] = this.now;
    const [cx, cy] = this.#middle();
    const [hx0, hx1, hy0, hy1] = this.home;
    const far = MOST_OUT * (hx1 - hx0);
    const out = Math.abs(cx + dx - (hx0 + hx1) / 2) > far || Math.abs(cy + dy - (hy0 + hy1) / 2) > far;
    if (!out) this.#choose([x0 + dx, x1 + dx, y0 + dy, y1 + dy]);
  }

  /** The canvas has another size: the same part, in its new proportions. */
  resized() {
    this.now = this.#fitted(this.chosen ? this.now : this.home);
  }

  #middle() {
    const [x0, x1, y0, y1] = this.now;
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  }

  #choose(extent) {
    this.chosen = true;
    this.now = this.#fitted(extent);
    this.changed();
  }

  #fitted([x0, x1, y0, y1]) {
    const { width, height } = this.area();
    const unit = Math.max((x1 - x0) / width, (y1 - y0) / height);
    const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    return [cx - (unit * width) / 2, cx + (unit * width) / 2, cy - (unit * height) / 2, cy + (unit * height) / 2];
  }
}
