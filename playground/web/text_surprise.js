// The surprise curve: how many bits each token was worth to the model, in the colours of the text.

import { h, inFrame, setText } from "./explorer_dom.js";
import { SHADES, bits, shade } from "./text_odds.js";
import { percent, visible } from "./text_words.js";
import { on, t } from "./store.js";

const HEIGHT = 52;
const MOST_BITS = SHADES + 2;
const WIDEST = 7;
const AXIS = 17; // px at the right, for its numbers
const GUIDES = [2, 5, 10]; // bits
const SMOOTH = 12; // tokens in the running mean

export class SurpriseCurve {
  /** @param {import("./text_state.js").Writing} lab */
  constructor(lab) {
    this.lab = lab;
    this.canvas = h("canvas", {
      class: "tx-curve", height: HEIGHT, onpointermove: (event) => this.#look(event, false), onclick: (event) => this.#look(event, true),
    });
    this.fact = h("p", { class: "play-note play-number tx-curve-fact" });
    this.element = h("figure", { class: "tx-surprise" }, this.canvas, this.fact);
    this.soon = inFrame(() => this.#draw());
    for (const type of ["items", "added", "focus", "writing", "facts"]) lab.on(type, this.soon);
    on("theme", () => requestAnimationFrame(this.soon));
    new ResizeObserver(this.soon).observe(this.element);
  }

  /** The tokens that have a place on the curve, with their index in the text. */
  #shown(width) {
    const written = this.lab.items.map((item, index) => ({ ...item, index })).filter(({ typed, plain }) => !typed && plain != null);
    return written.slice(-Math.max(1, Math.floor(width)));
  }

  #look(event, pins) {
    const box = this.canvas.getBoundingClientRect();
    const found = this.places?.[Math.floor((event.clientX - box.left) / this.step)];
    if (!found) return;
    if (pins) this.lab.pin(found.index);
    else if (event.pointerType !== "touch") this.lab.hover(found.index);
  }

  #draw() {
    const { canvas, element, lab } = this;
    const width = element.clientWidth;
    this.places = width ? this.#shown(width - AXIS) : [];
    element.hidden = !lab.items.some(({ typed, plain }) => !typed && plain != null);
    if (!this.places.length) return;
    const ratio = window.devicePixelRatio || 1;
    this.step = Math.min(WIDEST, (width - AXIS) / this.places.length);
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(HEIGHT * ratio) });
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    const look = getComputedStyle(element);
    this.#guides(ctx, width, look);
    this.#bars(ctx, look);
    this.#mean(ctx, look);
    this.#tell();
  }

  #guides(ctx, width, look) {
    ctx.font = `10px ${look.fontFamily}`;
    ctx.textAlign = "right";
    for (const value of GUIDES) {
      const y = Math.round(up(value)) + 0.5;
      ctx.strokeStyle = look.getPropertyValue("--play-line");
      ctx.beginPath();
      ctx.moveTo(0, y);
      ctx.lineTo(width - AXIS, y);
      ctx.stroke();
      ctx.fillStyle = look.getPropertyValue("--play-muted");
      ctx.fillText(value, width, y + 3);
    }
  }

  #bars(ctx, look) {
    const colours = Array.from({ length: SHADES }, (_, i) => look.getPropertyValue(`--tx-bar-${i}`));
    const gap = this.step > 3 ? 1 : 0;
    this.places.forEach(({ plain, index }, i) => {
      const here = index === this.lab.focus;
      ctx.fillStyle = here ? look.getPropertyValue("--play-accent") : colours[shade(plain)];
      const y = Math.min(up(bits(plain)), HEIGHT - 1.5);
      ctx.fillRect(i * this.step, y, Math.max(1, this.step - gap), HEIGHT - y);
    });
  }

  /** The running mean. */
  #mean(ctx, look) {
    if (this.places.length < SMOOTH) return;
    ctx.strokeStyle = look.getPropertyValue("--play-ink");
    ctx.lineWidth = 1.4;
    ctx.beginPath();
    let sum = 0;
    this.places.forEach(({ plain }, i) => {
      sum += bits(plain) - (i >= SMOOTH ? bits(this.places[i - SMOOTH].plain) : 0);
      if (i >= SMOOTH - 1) ctx.lineTo((i + 0.5) * this.step, up(sum / SMOOTH));
    });
    ctx.stroke();
  }

  #tell() {
    const { lab, places } = this;
    const mean = places.reduce((sum, { plain }) => sum + bits(plain), 0) / places.length;
    const most = places.reduce((a, b) => (b.plain < a.plain ? b : a));
    const speed = lab.rate ? t("text.speed", { n: Math.round(lab.rate).toLocaleString("en") }) : "";
    const facts = [t(places.length === 1 ? "text.written_one" : "text.written", { n: places.length.toLocaleString("en") }), t("text.mean_surprise", { bits: mean.toFixed(2) }), speed];
    setText(this.fact, facts.filter(Boolean).join(" · "));
    const label = t("text.curve_alt", { n: places.length, bits: mean.toFixed(2), piece: visible(most.piece), share: percent(most.plain) });
    this.canvas.setAttribute("aria-label", label);
    this.canvas.setAttribute("role", "img");
  }
}

const up = (value) => HEIGHT - (HEIGHT * Math.min(value, MOST_BITS)) / MOST_BITS;
