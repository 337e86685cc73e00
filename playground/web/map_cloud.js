// The codes of the test images on the map: where they are, where they are shown, what class.

import { points as readPoints } from "./decode.js";

const QUANTILE = 0.01; // as the engine's extent_of: the middle 98 %
const MARGIN = 1.15;

/** All points of the map; slices of a live run replace their part. Point i is test image i. */
export class Cloud {
  constructor() {
    this.total = 0;
    this.axes = ["z1", "z2"];
    this.flat = false; // latent_dim 1: the second coordinate only spreads the points
    this.spread = 1;
    this.#allocate(0);
  }

  #allocate(total) {
    this.total = total;
    this.target = new Float32Array(2 * total);
    this.shown = new Float32Array(2 * total);
    this.labels = new Uint8Array(total);
    this.known = new Uint8Array(total);
    this.moving = false;
    this.revision = (this.revision ?? 0) + 1; // which points there are, and of which class
    this.members = null;
  }

  /** Take a "points" payload, whole or a slice. Returns whether the set of points changed. */
  apply(payload) {
    const slice = readPoints(payload);
    const before = this.revision;
    if (slice.total !== this.total) this.#allocate(slice.total);
    this.axes = payload.axes;
    const last = Math.min(slice.n, this.total - slice.start);
    for (let k = 0; k < last; k += 1) {
      const i = slice.start + k;
      this.target[2 * i] = slice.xy[2 * k];
      this.target[2 * i + 1] = this.flat ? this.spread * jitter(i) : slice.xy[2 * k + 1];
      if (this.known[i] && this.labels[i] === slice.labels[k]) continue;
      this.labels[i] = slice.labels[k];
      this.#appear(i);
    }
    this.moving = true;
    return this.revision !== before;
  }

  #appear(i) {
    if (!this.known[i]) {
      this.shown[2 * i] = this.target[2 * i];
      this.shown[2 * i + 1] = this.target[2 * i + 1];
      this.known[i] = 1;
    }
    if (this.members) this.revision += 1;
    this.members = null;
  }

  /** How far points of a one-dimensional code are spread across the other axis. */
  setSpread(spread) {
    if (!this.flat || spread === this.spread) return;
    this.spread = spread;
    for (let i = 0; i < this.total; i += 1) this.target[2 * i + 1] = spread * jitter(i);
    this.moving = true;
  }

  /** Move the shown points a share of the way (1 = all of it). Returns whether any still moves. */
  advance(share) {
    const { target, shown } = this;
    let far = 0;
    for (let i = 0; i < target.length; i += 1) {
      const way = target[i] - shown[i];
      shown[i] = share >= 1 ? target[i] : shown[i] + share * way;
      if (way > far) far = way;
      else if (-way > far) far = -way;
    }
    this.moving = share < 1 && far > this.#still();
    if (!this.moving) shown.set(target);
    return this.moving;
  }

  #still() {
    return 0.002 * (this.size ?? 1);
  }

  /** Indices of the known points of each class: Map label -> Int32Array. */
  classes() {
    if (this.members) return this.members;
    const lists = new Map();
    for (let i = 0; i < this.total; i += 1) {
      if (!this.known[i]) continue;
      const label = this.labels[i];
      if (!lists.has(label)) lists.set(label, []);
      lists.get(label).push(i);
    }
    const sorted = [...lists].sort((a, b) => a[0] - b[0]);
    this.members = new Map(sorted.map(([label, list]) => [label, Int32Array.from(list)]));
    return this.members;
  }

  /** Index of the shown point nearest to (x, y), leaving out hidden classes; -1 when none. */
  nearest(x, y, hidden = new Set()) {
    const { shown, known, labels } = this;
    const weight = this.flat ? 0 : 1;
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < this.total; i += 1) {
      if (!known[i] || (hidden.size && hidden.has(labels[i]))) continue;
      const dx = shown[2 * i] - x;
      const dy = shown[2 * i + 1] - y;
      const d = dx * dx + weight * dy * dy;
      if (d < least) {
        least = d;
        best = i;
      }
    }
    return best;
  }

  /** Index of the point of a class that lies nearest to the middle of that class; -1 when none. */
  middleOf(label) {
    const list = this.classes().get(label);
    if (!list?.length) return -1;
    const xs = Array.from(list, (i) => this.target[2 * i]).sort((a, b) => a - b);
    const ys = Array.from(list, (i) => this.target[2 * i + 1]).sort((a, b) => a - b);
    const [x, y] = [xs[xs.length >> 1], ys[ys.length >> 1]];
    const others = new Set([...this.classes().keys()].filter((other) => other !== label));
    return this.nearest(x, y, others);
  }

  /** The square [x0, x1, y0, y1] with the middle 98 % of the points, widened; null when empty. */
  extent() {
    const list = [];
    for (let i = 0; i < this.total; i += 1) if (this.known[i]) list.push(i);
    if (!list.length) return null;
    const [x0, x1] = middle(list, this.target, 0);
    const [y0, y1] = this.flat ? [0, 0] : middle(list, this.target, 1);
    const half = Math.max((Math.max(x1 - x0, y1 - y0) / 2) * MARGIN, 1e-3);
    const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    this.size = 2 * half;
    return [cx - half, cx + half, cy - half, cy + half];
  }
}

function middle(list, xy, offset) {
  const values = Float32Array.from(list, (i) => xy[2 * i + offset]).sort();
  const at = (share) => values[Math.round(share * (values.length - 1))];
  return [at(QUANTILE), at(1 - QUANTILE)];
}

/** A fixed number in [-1, 1] for point i, evenly spread (golden ratio). */
function jitter(i) {
  return 2 * ((i * 0.6180339887498949) % 1) - 1;
}
