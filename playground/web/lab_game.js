// The game as a diagram: noise -> G -> sample -> D <- data, with a live picture at each node and
// the two losses on their ways back.

import { number } from "./curves_format.js";
import { metric, onHistory } from "./curves_history.js";
import { calm, h, inFrame, setText, svg } from "./explorer_dom.js";
import { colours, paintGrid } from "./lab_colours.js";
import { drawSurface } from "./lab_layers.js";
import { drawPoints } from "./lab_marks.js";
import { noisePlane } from "./lab_math.js";
import { on, t } from "./store.js";

const WIDTH = 248;
const HEIGHT = 334;
const SIDE = 84; // of a picture
/** Left and top of the pictures. */
const NODES = { noise: [6, 20], real: [158, 20], generated: [6, 192], surface: [158, 192] };
const LAYER_OF = { noise: "warp", real: "real", generated: "generated", surface: "surface" };
const DASH = 8;
const NUMBERS_MS = 120;
/** What each part of the diagram is called in slow motion. */
export const PARTS = ["noise", "generator", "generated", "score_fake", "surface", "score_real", "real", "loss_d", "loss_g"];

export class Game {
  /**
   * @param {import("./lab_state.js").Lab} lab
   * @param {{onlayer: (layer: string) => void}} calls a picture was pressed
   */
  constructor(lab, calls) {
    this.lab = lab;
    this.small = document.createElement("canvas");
    this.shown = null; // {noise, generated, real}: points in place of those of the lab, in slow motion
    this.numbers = null; // numbers in place of the run's
    this.request = inFrame(() => this.#draw());
    this.#build(calls);
    lab.on("drawing", () => { this.#advance(); this.request(); });
    lab.on("data", () => this.request());
    on("theme", () => { this.painted = null; this.request(); });
    onHistory(() => this.#later());
    on("source", () => this.#later());
    new ResizeObserver(() => this.request()).observe(this.box);
  }

  // ---- the diagram --------------------------------------------------------------------------------

  #build({ onlayer }) {
    this.canvas = h("canvas", { class: "lab-game-canvas", "aria-hidden": "true" });
    this.texts = {};
    this.parts = {};
    const root = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "lab-game-lines", "aria-hidden": "true" },
      this.#defs(), this.#flows(), this.#losses(), Object.keys(NODES).map((node) => this.#node(node)));
    this.buttons = Object.keys(NODES).map((node) => h("button", {
      type: "button", class: "lab-node", "aria-label": t(`lab.node_${node}_press`), title: t(`lab.node_${node}_press`),
      style: place(node), onclick: () => onlayer(LAYER_OF[node]),
    }));
    this.box = h("div", { class: "lab-game-box" }, this.canvas, root, this.buttons);
    this.words = h("p", { class: "play-hidden" });
    this.element = h("div", { class: "lab-game", role: "group", "aria-label": t("lab.game") }, this.box, this.words);
  }

  #defs() {
    const head = (id) => svg("marker", {
      id, viewBox: "0 0 8 8", refX: 6.5, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse",
    }, svg("path", { d: "M1 1 7 4 1 7Z", class: `lab-head ${id}` }));
    return svg("defs", {}, ["lab-flow", "lab-back-d", "lab-back-g"].map(head));
  }

  #part(name, ...children) {
    this.parts[name] = svg("g", { class: "lab-part", "data-part": name }, children);
    return this.parts[name];
  }

  #text(name, props, tag = "text") {
    this.texts[name] = svg(tag, { class: "lab-value", ...props }, "–");
    return this.texts[name];
  }

  #node(node) {
    const [x, y] = NODES[node];
    return this.#part(node,
      svg("rect", { x: x - 0.5, y: y - 0.5, width: SIDE + 1, height: SIDE + 1, rx: 6, class: `lab-frame ${node}` }),
      svg("text", { x: x + SIDE / 2, y: y - 7, class: "lab-name" }, t(`lab.node_${node}`)));
  }

  #flows() {
    const flow = (d) => svg("path", { d, class: "lab-line", "marker-end": "url(#lab-flow)" });
    const unit = (text, props) => svg("text", { class: "lab-unit", ...props }, text);
    return [
      this.#part("generator", flow("M48 106V120"), flow("M48 150V172"),
        svg("rect", { x: 9, y: 122, width: 78, height: 27, rx: 13.5, class: "lab-net" }),
        svg("text", { x: 48, y: 139.5, class: "lab-net-name" }, t("lab.generator"))),
      this.#part("score_fake", flow("M92 234H153"), this.#text("fake", { x: 123, y: 226, class: "lab-value fake" }),
        unit(t("lab.score_fake"), { x: 123, y: 249 })),
      this.#part("score_real", flow("M200 106V172"), this.#text("real", { x: 193, y: 134, class: "lab-value real end" }),
        unit(t("lab.score_real"), { x: 193, y: 149, class: "lab-unit end" })),
    ];
  }

  #losses() {
    const back = (side, d) => svg("path", { d, class: `lab-back ${side}`, "marker-end": `url(#lab-back-${side})` });
    const told = (side, x, props) => svg("text", { x, y: 327, class: "lab-loss", ...props },
      svg("tspan", { class: "lab-unit" }, `${t(`lab.loss_${side}`)}\u00a0 `), this.#text(`loss_${side}`, { class: "lab-value" }, "tspan"));
    return [
      this.#part("loss_g", back("g", "M180 278V300Q180 308 172 308H9Q1 308 1 300V143.500Q1 135.500 6 135.500"), told("g", 0)),
      this.#part("loss_d", back("d", "M220 278V300Q220 308 228 308H239Q247 308 247 300V242Q247 234 244 234"),
        told("d", 248, { class: "lab-loss end" })),
    ];
  }

  /** Light up some parts and dim the others; null lights all. */
  light(names) {
    this.element.classList.toggle("dimmed", Boolean(names));
    for (const [name, part] of Object.entries(this.parts)) part.classList.toggle("lit", Boolean(names?.includes(name)));
    this.request();
  }

  /** The dashes of the ways back move with every drawing, so only while something is learnt. */
  #advance() {
    if (!this.lab.live || calm()) return;
    this.offset = ((this.offset ?? 0) - 2) % DASH;
    this.element.style.setProperty("--lab-dash", `${this.offset}px`);
  }

  // ---- numbers ------------------------------------------------------------------------------------

  #later() {
    if (this.timer) return;
    this.timer = setTimeout(() => { this.timer = 0; this.#write(); }, NUMBERS_MS);
  }

  #write() {
    const { drawing } = this.lab;
    const value = this.numbers ?? {
      real: drawing?.dReal, fake: drawing?.dFake, loss_g: metric("train", "generator/loss"),
      loss_d: metric("train", "discriminator/loss") ?? metric("train", "loss"),
    };
    for (const [name, node] of Object.entries(this.texts)) setText(node, number(value[name], name.startsWith("loss") ? 3 : 2));
    const said = Object.fromEntries(Object.entries(value).map(([name, v]) => [name, number(v)]));
    setText(this.words, t("lab.game_words", said));
  }

  // ---- pictures -----------------------------------------------------------------------------------

  #draw() {
    const width = this.box.clientWidth;
    if (!width) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const unit = (width / WIDTH) * ratio;
    const size = [Math.round(WIDTH * unit), Math.round(HEIGHT * unit)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(unit, 0, 0, unit, 0, 0);
    ctx.clearRect(0, 0, WIDTH, HEIGHT);
    for (const node of Object.keys(NODES)) this.#picture(ctx, node, unit);
    this.#write();
  }

  #picture(ctx, node, unit) {
    const [left, top] = NODES[node];
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(left, top, SIDE, SIDE, 5);
    ctx.clip();
    ctx.translate(left, top);
    ctx.fillStyle = this.#colours().paper;
    ctx.fillRect(0, 0, SIDE, SIDE);
    if (this.element.classList.contains("dimmed") && !this.parts[node].classList.contains("lit")) ctx.globalAlpha = 0.3;
    this[`_${node}`](ctx, unit);
    ctx.restore();
  }

  #colours() {
    const dark = document.body.classList.contains("dark");
    if (this.palette?.dark !== dark) this.palette = { dark, ...colours() };
    return this.palette;
  }

  #view([x0, x1, y0, y1], ratio) {
    const unit = SIDE / Math.max(x1 - x0, y1 - y0);
    return {
      px: ([x, y]) => [(x - x0) * unit, (y1 - y) * unit], width: SIDE, height: SIDE, ratio, scale: unit, range: [x0, x1, y0, y1],
    };
  }

  #extent() {
    return this.lab.data?.extent ?? this.lab.drawing?.extent ?? [-1, 1, -1, 1];
  }

  #dots(ctx, xy, extent, colour, unit) {
    drawPoints(ctx, this.#view(extent, unit), xy, { colour, radius: 1.2, alpha: 0.85 * ctx.globalAlpha });
  }

  _noise(ctx, unit) {
    const shape = this.lab.drawing?.warp?.shape ?? [21, 21];
    const points = this.shown?.noise ?? noisePlane(shape);
    this.#dots(ctx, points, [-2.8, 2.8, -2.8, 2.8], this.#colours().generator, unit);
  }

  _real(ctx, unit) {
    const points = this.shown?.real ?? this.lab.data?.real;
    if (points) this.#dots(ctx, points.subarray(0, 800), this.#extent(), this.#colours().real, unit);
  }

  _generated(ctx, unit) {
    const { drawing } = this.lab;
    const points = this.shown?.generated ?? drawing?.generated;
    if (points) this.#dots(ctx, points, this.#extent(), this.#colours().generated, unit);
  }

  _surface(ctx, unit) {
    const { drawing } = this.lab;
    if (!drawing) return;
    if (this.painted !== drawing.surface) paintGrid(this.small, drawing.surface, this.#colours().scale);
    this.painted = drawing.surface;
    drawSurface(ctx, this.#view(this.#extent(), unit), { image: this.small, grid: drawing.surface, extent: drawing.extent }, this.#colours());
  }
}

/** Where a picture lies, in shares of the diagram. */
function place(node) {
  const [x, y] = NODES[node];
  const share = (v, whole) => `${(100 * v) / whole}%`;
  return { left: share(x, WIDTH), top: share(y, HEIGHT), width: share(SIDE, WIDTH), height: share(SIDE, HEIGHT) };
}
