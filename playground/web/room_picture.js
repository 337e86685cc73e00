// The newest picture of a run, small or large, drawn by the type of its payload onto one canvas:
// for the teacher's wall and for what the teacher shows to all. It stands on decode.js alone, so
// that it needs no tab and no store.

import { loadImage, points, readArrays } from "./decode.js";

// As theme.js: ten classes by Petroff (2021), and the two ends of D's surface.
const CLASSES = [
  "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
];
const REAL = [0, 114, 178];
const GENERATED = [213, 94, 0];
const EQUAL = { light: [226, 229, 234], dark: [52, 58, 68] };
const STRENGTH = 0.46;
const MARGIN = 1.12;
const MOST_RATIO = 2;
const TEXT_TOP = 36; // below the badge of a tile

const isDark = () => document.body.classList.contains("dark");
const colour = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

/** One canvas that shows what a run draws. */
export class RunPicture {
  /** @param {string} label what a screen reader says before the picture's own text */
  constructor(label) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "room-picture";
    this.canvas.setAttribute("role", "img");
    this.label(label);
    this.cloud = null;
    this.turn = 0;
    this.size = [0, 0];
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  label(text) {
    this.name = text;
    this.#say();
  }

  #say() {
    const about = this.event ? ` ${this.event.payload.alt ?? ""}` : "";
    this.canvas.setAttribute("aria-label", (this.name + about).trim());
  }

  /** Forget the picture: another run is shown. */
  clear() {
    this.event = this.cloud = this.image = null;
    this.turn += 1;
    this.#say();
    this.draw();
  }

  /** Take a preview event {name, step, payload}. */
  async take(event) {
    this.event = event;
    const turn = ++this.turn;
    const payload = this.#payload();
    if (payload.type === "points") this.#gather(payload);
    if (payload.src) {
      const image = await loadImage(payload.src).catch(() => null);
      if (turn !== this.turn || !image) return;
      this.image = image;
    }
    this.#say();
    this.draw();
  }

  /** The payload that is drawn: of several views the first picture. */
  #payload() {
    const { payload } = this.event;
    if (payload.type !== "views") return payload;
    const first = Object.values(payload.items ?? {}).find((item) => item.src);
    return typeof payload.values?.text === "string" || !first ? payload : first;
  }

  /** Points come in slices of all: those of earlier pictures stay until theirs comes again. */
  #gather(payload) {
    const slice = points(payload);
    if (this.cloud?.total !== slice.total) {
      this.cloud = { total: slice.total, xy: new Float32Array(2 * slice.total), labels: new Uint8Array(slice.total), known: new Uint8Array(slice.total) };
    }
    const { cloud } = this;
    cloud.xy.set(slice.xy.subarray(0, 2 * (slice.total - slice.start)), 2 * slice.start);
    cloud.labels.set(slice.labels.subarray(0, slice.total - slice.start), slice.start);
    cloud.known.fill(1, slice.start, slice.start + slice.n);
  }

  draw() {
    const ctx = this.#sized();
    if (!ctx) return;
    const [width, height] = this.size;
    ctx.clearRect(0, 0, width, height);
    if (!this.event) return;
    const payload = this.#payload();
    if (payload.src) this.#drawImage(ctx, payload);
    else if (payload.type === "points") this.#drawCloud(ctx);
    else if (payload.type === "arrays") this.#drawPlane(ctx, payload);
    else if (payload.type === "views") this.#drawText(ctx, payload.values?.text ?? "");
    this.canvas.dataset.paints = String(Number(this.canvas.dataset.paints ?? 0) + 1);
  }

  #sized() {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (!w || !h) return null;
    const ratio = Math.min(window.devicePixelRatio || 1, MOST_RATIO);
    const [width, height] = [Math.round(w * ratio), Math.round(h * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    this.size = [w, h];
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    return ctx;
  }

  #drawImage(ctx, payload) {
    if (!this.image) return;
    const { naturalWidth: w, naturalHeight: h } = this.image;
    const [width, height] = this.size;
    const scale = Math.min(width / w, height / h);
    ctx.imageSmoothingEnabled = scale < 1 || payload.tile?.[0] > 40;
    ctx.drawImage(this.image, (width - w * scale) / 2, (height - h * scale) / 2, w * scale, h * scale);
  }

  #drawCloud(ctx) {
    const { xy, labels, known, total } = this.cloud;
    const [width, height] = this.size;
    const [x0, x1] = middle(xy, known, 0);
    const [y0, y1] = middle(xy, known, 1);
    const unit = Math.min(width / (x1 - x0), height / (y1 - y0)) / MARGIN;
    const dot = Math.max(1.2, Math.min(width, height) / 150);
    for (let i = 0; i < total; i += 1) {
      if (!known[i]) continue;
      ctx.fillStyle = CLASSES[labels[i] % CLASSES.length];
      const [x, y] = [xy[2 * i] - (x0 + x1) / 2, xy[2 * i + 1] - (y0 + y1) / 2];
      ctx.fillRect(width / 2 + x * unit - dot / 2, height / 2 - y * unit - dot / 2, dot, dot);
    }
  }

  /** The plane of the GAN lab: what D says of each place, and the generated points. */
  #drawPlane(ctx, payload) {
    const { surface, generated } = readArrays(payload);
    const extent = payload.values?.extent;
    if (!surface || !extent) return;
    const [width, height] = this.size;
    const [x0, x1, y0, y1] = extent;
    const unit = Math.min(width / (x1 - x0), height / (y1 - y0));
    const [left, top] = [(width - unit * (x1 - x0)) / 2, (height - unit * (y1 - y0)) / 2];
    ctx.imageSmoothingEnabled = true;
    ctx.drawImage(painted(surface), left, top, unit * (x1 - x0), unit * (y1 - y0));
    if (!generated) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, unit * (x1 - x0), unit * (y1 - y0));
    ctx.clip();
    ctx.fillStyle = `rgb(${GENERATED})`;
    const dot = Math.max(1.5, Math.min(width, height) / 75);
    for (let i = 0; i + 1 < generated.data.length; i += 2) {
      ctx.fillRect(left + (generated.data[i] - x0) * unit - dot / 2, top + (y1 - generated.data[i + 1]) * unit - dot / 2, dot, dot);
    }
    ctx.restore();
  }

  #drawText(ctx, text) {
    const [width, height] = this.size;
    const size = Math.max(9, Math.min(22, width / 24));
    ctx.fillStyle = colour("--play-ink");
    ctx.font = `${size}px ${colour("--play-mono")}`;
    ctx.textBaseline = "top";
    const columns = Math.max(8, Math.floor((width - 16) / (size * 0.61)));
    let y = TEXT_TOP;
    for (const line of text.split("\n").flatMap((one) => broken(one, columns))) {
      if (y + size > height - 4) break;
      ctx.fillText(line, 8, y);
      y += size * 1.35;
    }
  }
}

/** The middle 97 % of one coordinate. */
function middle(xy, known, axis) {
  const values = [];
  for (let i = 0; i < known.length; i += 1) if (known[i]) values.push(xy[2 * i + axis]);
  values.sort((a, b) => a - b);
  const at = (share) => values[Math.round(share * (values.length - 1))] ?? 0;
  const [low, high] = [at(0.015), at(0.985)];
  return high > low ? [low, high] : [low - 1, low + 1];
}

function broken(line, columns) {
  if (line.length <= columns) return [line];
  const parts = [];
  for (let i = 0; i < line.length; i += columns) parts.push(line.slice(i, i + columns));
  return parts;
}

/** A grid of probabilities as a picture: from "generated" over grey at one half to "real". */
function painted({ shape: [rows, columns], data }) {
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(columns, rows);
  const equal = EQUAL[isDark() ? "dark" : "light"];
  for (let i = 0; i < data.length; i += 1) {
    const off = Math.min(Math.max(data[i], 0), 1) * 2 - 1;
    const share = Math.abs(off) ** 0.85 * STRENGTH;
    const end = off < 0 ? GENERATED : REAL;
    for (let k = 0; k < 3; k += 1) image.data[4 * i + k] = equal[k] + share * (end[k] - equal[k]);
    image.data[4 * i + 3] = 255;
  }
  ctx.putImageData(image, 0, 0);
  return canvas;
}

/** A short curve as a polyline's points, in a box of 100 by 24. */
export function sparkPoints(values) {
  const known = values.filter(Number.isFinite);
  if (known.length < 2) return "";
  const sorted = [...known].sort((a, b) => a - b);
  // The first values are often far above all others: the curve would be a flat line.
  const [low, high] = [sorted[0], sorted[Math.floor((sorted.length - 1) * 0.95)]];
  const span = high - low || 1;
  return known.map((value, i) => {
    const y = 22 - 20 * Math.min(1.05, (value - low) / span);
    return `${((100 * i) / (known.length - 1)).toFixed(1)},${Math.max(1, y).toFixed(1)}`;
  }).join(" ");
}
