/** A curve of any length in bounded memory: neighbouring points merge when the room is full. */

const CAPACITY = 2048;

export class Series {
  constructor() {
    this.length = 0;
    this.width = 1; // how many values a full bucket holds
    this.x = new Float64Array(CAPACITY);
    this.y = new Float64Array(CAPACITY);
    this.low = new Float64Array(CAPACITY);
    this.high = new Float64Array(CAPACITY);
    this.count = new Uint32Array(CAPACITY);
  }

  /** Add a value at a step. A step at or before the last one replaces what followed it. */
  push(step, value) {
    if (!Number.isFinite(step) || !Number.isFinite(value)) return;
    while (this.length && this.x[this.length - 1] >= step) this.length -= 1;
    const last = this.length - 1;
    if (last >= 0 && this.count[last] < this.width) this.#join(last, step, value);
    else this.#append(step, value);
  }

  get last() {
    return this.length ? this.y[this.length - 1] : null;
  }

  get lastStep() {
    return this.length ? this.x[this.length - 1] : null;
  }

  get firstStep() {
    return this.length ? this.x[0] : null;
  }

  /** The index of the point nearest to a step, or -1. */
  nearest(step) {
    if (!this.length) return -1;
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.x[middle] < step) low = middle + 1;
      else high = middle;
    }
    return low > 0 && step - this.x[low - 1] <= this.x[low] - step ? low - 1 : low;
  }

  /**
   * An exponential moving average, started without bias towards its first value.
   * @param {Float64Array} out room for at least `length` values
   */
  smoothed(out, keep = 0.92) {
    let mean = 0;
    let weight = 0;
    for (let i = 0; i < this.length; i += 1) {
      mean = keep * mean + (1 - keep) * this.y[i];
      weight = keep * weight + (1 - keep);
      out[i] = mean / weight;
    }
    return out;
  }

  /** At most `limit` points as [[steps], [values]], five digits each: small enough to store. */
  thinned(limit) {
    const stride = Math.max(1, Math.ceil(this.length / limit));
    const steps = [];
    const values = [];
    for (let i = 0; i < this.length; i += stride) {
      const end = Math.min(i + stride, this.length);
      let sum = 0;
      for (let j = i; j < end; j += 1) sum += this.y[j];
      steps.push(Math.round(this.x[end - 1]));
      values.push(Number((sum / (end - i)).toPrecision(5)));
    }
    return [steps, values];
  }

  /** A series from what `thinned` gave. */
  static from([steps, values]) {
    const series = new Series();
    steps.forEach((step, i) => series.push(step, values[i]));
    return series;
  }

  #append(step, value) {
    if (this.length === CAPACITY) this.#halve();
    const i = this.length;
    this.x[i] = step;
    this.y[i] = this.low[i] = this.high[i] = value;
    this.count[i] = 1;
    this.length += 1;
  }

  #join(i, step, value) {
    this.count[i] += 1;
    this.x[i] = step;
    this.y[i] += (value - this.y[i]) / this.count[i];
    if (value < this.low[i]) this.low[i] = value;
    if (value > this.high[i]) this.high[i] = value;
  }

  #halve() {
    for (let i = 0; i < CAPACITY / 2; i += 1) {
      const a = 2 * i;
      const b = a + 1;
      const total = this.count[a] + this.count[b];
      this.x[i] = this.x[b];
      this.y[i] = (this.y[a] * this.count[a] + this.y[b] * this.count[b]) / total;
      this.low[i] = Math.min(this.low[a], this.low[b]);
      this.high[i] = Math.max(this.high[a], this.high[b]);
      this.count[i] = total;
    }
    this.length = CAPACITY / 2;
    this.width *= 2;
  }
}
