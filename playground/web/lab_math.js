// What the lab reckons in the page from the arrays it has: no drawing, no requests.

const HIGH_QUALITY_SD = 3; // within three standard deviations of its mode, as PacGAN counts
const FAIR_SHARE = 0.2; // of an equal share: the strict count

/**
 * Value at (x, y) of a grid of numbers that stand at the middles of the cells of `extent`, row 0
 * on top; null outside of it.
 */
export function valueAt(grid, extent, x, y) {
  const [rows, columns] = grid.shape;
  const [x0, x1, y0, y1] = extent;
  if (!(x >= x0 && x <= x1 && y >= y0 && y <= y1)) return null;
  const across = clamp(((x - x0) / (x1 - x0)) * columns - 0.5, columns - 1);
  const down = clamp(((y1 - y) / (y1 - y0)) * rows - 0.5, rows - 1);
  const [j, i] = [Math.min(Math.floor(across), columns - 2), Math.min(Math.floor(down), rows - 2)];
  const [s, u] = [across - j, down - i];
  const at = i * columns + j;
  const above = grid.data[at] * (1 - s) + grid.data[at + 1] * s;
  const below = grid.data[at + columns] * (1 - s) + grid.data[at + columns + 1] * s;
  return above * (1 - u) + below * u;
}

const clamp = (value, most) => Math.min(Math.max(value, 0), most);

/**
 * Which modes the shown sample covers.
 * @param {Float32Array} xy generated points
 * @param {number[][]} means
 * @param {number} sd
 * @returns {{modes: ("strict"|"loose"|"none")[], loose: number, strict: number, good: number}}
 *   `good`: share of the points within three standard deviations of a mode
 */
export function coverage(xy, means, sd) {
  const counts = new Array(means.length).fill(0);
  const reach = (HIGH_QUALITY_SD * sd) ** 2;
  const n = xy.length >> 1;
  let good = 0;
  for (let i = 0; i < n; i += 1) {
    const [near, distance] = nearest(xy[2 * i], xy[2 * i + 1], means);
    if (distance >= reach) continue;
    counts[near] += 1;
    good += 1;
  }
  const share = (FAIR_SHARE * n) / means.length;
  const modes = counts.map((count) => (count >= share && count > 0 ? "strict" : count > 0 ? "loose" : "none"));
  return {
    modes, good: n ? good / n : 0, loose: modes.filter((m) => m !== "none").length,
    strict: modes.filter((m) => m === "strict").length,
  };
}

function nearest(x, y, means) {
  let [best, distance] = [0, Infinity];
  for (let k = 0; k < means.length; k += 1) {
    const d = (x - means[k][0]) ** 2 + (y - means[k][1]) ** 2;
    if (d < distance) [best, distance] = [k, d];
  }
  return [best, distance];
}

/** Area of every cell of a warped grid of rows×columns points, from the cell's two triangles. */
export function cellAreas(warp) {
  const [rows, columns] = warp.shape;
  const { data } = warp;
  const areas = new Float32Array((rows - 1) * (columns - 1));
  for (let i = 0; i < rows - 1; i += 1) {
    for (let j = 0; j < columns - 1; j += 1) {
      const a = 2 * (i * columns + j);
      const [b, c, d] = [a + 2, a + 2 * columns + 2, a + 2 * columns];
      areas[i * (columns - 1) + j] = Math.abs(triangle(data, a, b, c)) + Math.abs(triangle(data, a, c, d));
    }
  }
  return areas;
}

const triangle = (p, a, b, c) =>
  ((p[b] - p[a]) * (p[c + 1] - p[a + 1]) - (p[c] - p[a]) * (p[b + 1] - p[a + 1])) / 2;

/** The grid of the noise plane itself, laid evenly over `extent`: where the warp begins. */
export function flatGrid([rows, columns], [x0, x1, y0, y1], share = 0.84) {
  const data = new Float32Array(rows * columns * 2);
  const [cx, cy, w, h] = [(x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) * share, (y1 - y0) * share];
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      const at = 2 * (i * columns + j);
      data[at] = cx + w * (j / (columns - 1) - 0.5);
      data[at + 1] = cy + h * (i / (rows - 1) - 0.5);
    }
  }
  return { shape: [rows, columns, 2], data };
}

/** Points between two sets of points: 0 gives `from`, 1 gives `to`. */
export function between(from, to, share, into = new Float32Array(to.length)) {
  for (let i = 0; i < to.length; i += 1) into[i] = from[i] + share * (to[i] - from[i]);
  return into;
}

/**
 * Pieces of the line on which a grid has the value `level`, as x0, y0, x1, y1 in cells from the
 * middle of the first one.
 * @returns {number[]}
 */
export function levelLine({ shape: [rows, columns], data }, level) {
  const pieces = [];
  const cross = (a, b) => (level - a) / (b - a);
  for (let i = 0; i < rows - 1; i += 1) {
    for (let j = 0; j < columns - 1; j += 1) {
      const at = i * columns + j;
      const [a, b, c, d] = [data[at], data[at + 1], data[at + columns + 1], data[at + columns]];
      const kind = (a > level ? 8 : 0) | (b > level ? 4 : 0) | (c > level ? 2 : 0) | (d > level ? 1 : 0);
      if (kind === 0 || kind === 15) continue;
      const top = () => [j + cross(a, b), i];
      const right = () => [j + 1, i + cross(b, c)];
      const bottom = () => [j + cross(d, c), i + 1];
      const left = () => [j, i + cross(a, d)];
      for (const [from, to] of ends(kind, { top, right, bottom, left })) pieces.push(...from(), ...to());
    }
  }
  return pieces;
}

function ends(kind, { top, right, bottom, left }) {
  switch (kind) {
    case 1: case 14: return [[left, bottom]];
    case 2: case 13: return [[bottom, right]];
    case 3: case 12: return [[left, right]];
    case 4: case 11: return [[top, right]];
    case 6: case 9: return [[top, bottom]];
    case 7: case 8: return [[left, top]];
    case 5: return [[left, top], [bottom, right]];
    default: return [[left, bottom], [top, right]];
  }
}

/** Smallest [x0, x1, y0, y1] that holds points, as a square with some air; null for none. */
export function squareExtent(xy, air = 0.1) {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i + 1 < xy.length; i += 2) {
    if (xy[i] < x0) x0 = xy[i];
    if (xy[i] > x1) x1 = xy[i];
    if (xy[i + 1] < y0) y0 = xy[i + 1];
    if (xy[i + 1] > y1) y1 = xy[i + 1];
  }
  if (!(x1 >= x0)) return null;
  const half = (Math.max(x1 - x0, y1 - y0, 1e-6) / 2) * (1 + 2 * air);
  const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return [cx - half, cx + half, cy - half, cy + half];
}

/** Mean of numbers, NaN for none. */
export function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Points of the noise plane at evenly spread quantiles of the normal distribution. */
export function noisePlane([rows, columns]) {
  const at = (i, n) => normalQuantile((i + 0.5) / n);
  const points = new Float32Array(rows * columns * 2);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      points[2 * (i * columns + j)] = at(j, columns);
      points[2 * (i * columns + j) + 1] = -at(i, rows);
    }
  }
  return points;
}

/** The normal distribution's quantile, within 4.5e-4 (Abramowitz and Stegun, 26.2.23). */
function normalQuantile(p) {
  const side = Math.min(p, 1 - p);
  const s = Math.sqrt(-2 * Math.log(side));
  const z = s - (2.515517 + 0.802853 * s + 0.010328 * s * s) / (1 + 1.432788 * s + 0.189269 * s * s + 0.001308 * s ** 3);
  return p < 0.5 ? -z : z;
}
