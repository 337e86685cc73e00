// Which part of the map is visible: it follows the data until a person chooses it, with equal
// scales on both axes. Pixels are those of the plot area.

import { debounce } from "./explorer_dom.js";

export const MARGIN = { l: 38, r: 8, t: 8, b: 28 };
const FOLLOW_MS = 160; // time constant of the range on its way
const AIR = 0.04; // of the extent, around it, so that its frame is seen
const EXTENT_MS = 300; // how often the data's extent is read while they move

export class MapRange {
  /**
   * @param {HTMLElement} element the plot with its margins
   * @param {import("./explorer_space.js").Space} space
   * @param {() => void} request asks for a frame
   */
  constructor(element, space, request) {
    Object.assign(this, { element, space, request });
    this.now = null; // [x0, x1, y0, y1]
    this.goal = null; // where it is going
    this.auto = true;
    this.dirty = false; // changed since the last paint
    this.read = -Infinity; // when the data's extent was last read
    this.tell = debounce(() => space.emit("view", { user: !this.auto }), 60);
  }

  // ---- geometry ---------------------------------------------------------------------------------

  area() {
    const { clientWidth: w, clientHeight: h } = this.element;
    return {
      left: MARGIN.l, top: MARGIN.t,
      width: Math.max(w - MARGIN.l - MARGIN.r, 1), height: Math.max(h - MARGIN.t - MARGIN.b, 1),
    };
  }

  #shown() {
    return this.now ?? [-1, 1, -1, 1];
  }

  toPixel([x, y]) {
    const [x0, x1, y0, y1] = this.#shown();
    const { width, height } = this.area();
    return [((x - x0) / (x1 - x0)) * width, ((y1 - y) / (y1 - y0)) * height];
  }

  toMap(px, py) {
    const [x0, x1, y0, y1] = this.#shown();
    const { width, height } = this.area();
    return [x0 + (px / width) * (x1 - x0), y1 - (py / height) * (y1 - y0)];
  }

  /** Pixels of one unit of the map. */
  scale() {
    const [x0, x1] = this.#shown();
    return this.area().width / (x1 - x0);
  }

  middle() {
    const [x0, x1, y0, y1] = this.#shown();
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  }

  /** The smallest range of equal scales that holds `extent`. */
  fitted([x0, x1, y0, y1]) {
    const { width, height } = this.area();
    const unit = Math.max((x1 - x0) / width, (y1 - y0) / height);
    const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    return [cx - (unit * width) / 2, cx + (unit * width) / 2, cy - (unit * height) / 2, cy + (unit * height) / 2];
  }

  // ---- what a person does -----------------------------------------------------------------------

  /** Show `extent` from now on. */
  choose(extent) {
    this.auto = false;
    this.space.userView = true;
    this.#set(this.fitted(extent));
    this.goal = null;
    this.request();
    this.tell();
  }

  zoom(factor, [x, y] = this.middle()) {
    const [x0, x1, y0, y1] = this.#shown();
    const span = (x1 - x0) / factor;
    const full = this.space.extent ? this.space.extent[1] - this.space.extent[0] : 1;
    if (span < full * 1e-3 || span > full * 30) return;
    this.choose([x - (x - x0) / factor, x + (x1 - x) / factor, y - (y - y0) / factor, y + (y1 - y) / factor]);
  }

  pan(dx, dy) {
    const [x0, x1, y0, y1] = this.#shown();
    this.choose([x0 + dx, x1 + dx, y0 + dy, y1 + dy]);
  }

  /** Follow the data (again). */
  follow() {
    this.auto = true;
    this.space.userView = false;
    this.read = -Infinity;
    this.asked = true;
    this.request();
  }

  /** The plot has another size. */
  resized() {
    if (this.now) this.#set(this.fitted(this.goal ?? this.now));
    this.goal = null;
  }

  /** Someone changed the range through Plotly itself: it counts as chosen. */
  outside(range) {
    const span = range[1] - range[0];
    if (!this.now || range.every((v, i) => Math.abs(v - this.now[i]) < 1e-3 * span)) return;
    this.choose(range);
  }

  #set(range) {
    this.now = range;
    this.space.view = [...range];
    this.dirty = true;
  }

  // ---- following --------------------------------------------------------------------------------

  /** Take one step of `dt` ms after the data; `jump`: all the way at once. */
  step(time, dt, jump) {
    if (this.auto && time - this.read > EXTENT_MS) this.#readData(time);
    if (!this.goal) return;
    const { goal } = this;
    const near = !this.now || jump || this.now.every((v, i) => Math.abs(goal[i] - v) < 0.004 * (goal[1] - goal[0]));
    const share = 1 - Math.exp(-dt / FOLLOW_MS);
    this.#set(near ? goal : this.now.map((v, i) => v + share * (goal[i] - v)));
    if (!near) return;
    this.goal = null;
    this.tell();
  }

  #readData(time) {
    this.read = time;
    const extent = this.space.cloud.extent();
    if (!extent) return;
    this.space.extent = extent;
    const goal = this.fitted(widened(extent));
    const before = this.goal ?? this.now;
    const restless = (this.space.live || this.space.past) && !this.asked;
    this.asked = false;
    if (!before || (restless ? outgrown(before, goal) : differs(before, goal))) this.goal = goal;
  }
}

function widened([x0, x1, y0, y1]) {
  const [dx, dy] = [(x1 - x0) * AIR, (y1 - y0) * AIR];
  return [x0 - dx, x1 + dx, y0 - dy, y1 + dy];
}

const differs = (a, b) => a.some((v, i) => Math.abs(v - b[i]) > 1e-6 * (b[1] - b[0]));

/** Whether the data have left the range, or shrunk well below it. */
function outgrown(now, goal) {
  const slack = 0.03 * (now[1] - now[0]);
  return goal[0] < now[0] - slack || goal[1] > now[1] + slack || goal[2] < now[2] - slack
    || goal[3] > now[3] + slack || goal[1] - goal[0] < 0.8 * (now[1] - now[0]);
}
