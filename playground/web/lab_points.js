// Points that a person draws: sprayed, erased, taken back, read from a file. No canvas here.

export const MOST = 20_000; // as the server allows
export const FEWEST = 20;
const UNDO_LEVELS = 60;
const LINE = /^[\s[({]*([-+]?[\d.]+(?:e[-+]?\d+)?)[\s,;]+([-+]?[\d.]+(?:e[-+]?\d+)?)[\s,;\])}]*$/i;

/** A normal pair around 0. */
function normalPair() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  const angle = 2 * Math.PI * Math.random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

export class Points {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.xy = new Float32Array(0);
    this.past = [];
  }

  get count() {
    return this.xy.length >> 1;
  }

  get room() {
    return MOST - this.count;
  }

  /** What follows, until the next call, is taken back by one undo. */
  begin() {
    this.past.push(this.xy);
    if (this.past.length > UNDO_LEVELS) this.past.shift();
  }

  get undoable() {
    return this.past.length > 0;
  }

  undo() {
    if (!this.past.length) return;
    this.xy = this.past.pop();
    this.changed();
  }

  clear() {
    if (!this.count) return;
    this.begin();
    this.#set(new Float32Array(0));
  }

  /** Spray points around a place. */
  spray([x, y], spread, count) {
    const n = Math.min(count, this.room);
    if (n <= 0) return;
    const next = new Float32Array(this.xy.length + 2 * n);
    next.set(this.xy);
    for (let i = 0; i < n; i += 1) {
      const [dx, dy] = normalPair();
      next[this.xy.length + 2 * i] = x + spread * dx;
      next[this.xy.length + 2 * i + 1] = y + spread * dy;
    }
    this.#set(next);
  }

  /** Take away the points within `reach` of a place. */
  erase([x, y], reach) {
    const kept = [];
    for (let i = 0; i < this.xy.length; i += 2) {
      if (Math.hypot(this.xy[i] - x, this.xy[i + 1] - y) > reach) kept.push(this.xy[i], this.xy[i + 1]);
    }
    if (kept.length < this.xy.length) this.#set(Float32Array.from(kept));
  }

  /** Replace all points. */
  place(xy) {
    this.begin();
    this.#set(xy);
  }

  /** As the server takes them. */
  pairs() {
    const pairs = [];
    for (let i = 0; i < this.xy.length; i += 2) {
      pairs.push([Number(this.xy[i].toPrecision(6)), Number(this.xy[i + 1].toPrecision(6))]);
    }
    return pairs;
  }

  #set(xy) {
    this.xy = xy;
    this.changed();
  }
}

/**
 * Points of a text: two numbers a line (commas, semicolons, tabs or spaces), or a JSON list of pairs.
 * @returns {Float32Array|null} null when a line does not say two numbers: the server then says which
 */
export function readPoints(text) {
  const json = /^\s*\[\s*\[/.test(text) ? parsed(text) : null;
  if (json) return json;
  const lines = text.split(/\r?\n/).filter((line) => line.trim() && !line.trim().startsWith("#"));
  if (lines.length && !LINE.test(lines[0])) lines.shift(); // a line of words above the numbers
  const found = [];
  for (const line of lines) {
    const numbers = LINE.exec(line);
    if (!numbers) return null;
    found.push(Number(numbers[1]), Number(numbers[2]));
  }
  return found.length && found.every(Number.isFinite) ? Float32Array.from(found) : null;
}

function parsed(text) {
  try {
    const pairs = JSON.parse(text);
    const fit = Array.isArray(pairs) && pairs.every((p) => Array.isArray(p) && p.length === 2 && p.every(Number.isFinite));
    return fit ? Float32Array.from(pairs.flat()) : null;
  } catch {
    return null;
  }
}
