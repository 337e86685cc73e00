// The game as a diagram: noise -> G -> sample -> D <- data, with a live picture at each node and
// the two losses on their ways back.

import { number } from "./curves_format.js";
import { metric, onHistory, seriesOf } from "./curves_history.js";
import { calm, h, setText, svg } from "./explorer_dom.js";
import { paced } from "./curves_dom.js";
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
const NOISE = [-2.8, 2.8, -2.8, 2.8]; // part of the noise plane that is seen
const MOST_DOTS = 1600; // numbers: two a dot
const DASH = 8;
const PICTURES_MS = 200; // small pictures need not follow every drawing
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
    this.drawn = new Map(); // picture -> what it shows, so that only what changed is drawn
    this.numbers = null; // numbers in place of the run's
    this.request = paced(() => this.#draw(), PICTURES_MS);
    this.#build(calls);
    lab.on("drawing", () => { this.#advance(); this.request(); });
    lab.on("data", () => { this.drawn.clear(); this.request(); });
    lab.on("losses", () => this.request());
    on("theme", () => { this.drawn.clear(); this.request(); });
    onHistory(() => this.request());
    on("source", () => this.request());
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

  #write() {
    const { drawing } = this.lab;
    const value = this.numbers ?? {
      real: drawing?.dReal, fake: drawing?.dFake, loss_g: this.#loss("generator/loss"), loss_d: this.#loss("discriminator/loss"),
    };
    for (const [name, node] of Object.entries(this.texts)) setText(node, number(value[name], name.startsWith("loss") ? 3 : 2));
    const said = Object.fromEntries(Object.entries(value).map(([name, v]) => [name, number(v)]));
    setText(this.words, t("lab.game_words", said));
  }

  /** A loss at the step that is shown. */
  #loss(name) {
    const { past } = this.lab;
    const series = past === null ? null : seriesOf("train", name);
    const at = series?.nearest(past) ?? -1;
    return at >= 0 ? series.y[at] : this.lab.losses?.[name.split("/")[0]] ?? metric("train", name) ?? metric("test", name);
  }

  // ---- pictures -----------------------------------------------------------------------------------

  #draw() {
    const width = this.box.clientWidth;
    if (!width) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const unit = (width / WIDTH) * ratio;
    const size = [Math.round(WIDTH * unit), Math.round(HEIGHT * unit)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      this.drawn.clear();
    }
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(unit, 0, 0, unit, 0, 0);
    for (const node of Object.keys(NODES)) this.#picture(ctx, node, unit);
    this.#write();
  }

  #picture(ctx, node, unit) {
    const [left, top] = NODES[node];
    const faint = this.element.classList.contains("dimmed") && !this.parts[node].classList.contains("lit");
    const [what, before] = [this.#content(node), this.drawn.get(node)];
    if (before && before.what === what && before.faint === faint) return;
    this.drawn.set(node, { what, faint });
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(left, top, SIDE, SIDE, 5);
    ctx.clip();
    ctx.translate(left, top);
    ctx.fillStyle = this.#colours().paper;
    ctx.fillRect(0, 0, SIDE, SIDE);
    ctx.globalAlpha = faint ? 0.3 : 1;
    if (node === "surface") this.#surface(ctx, unit);
    else if (what) this.#dots(ctx, what, node, unit);
    ctx.restore();
  }

  /** What a picture shows: points, or the drawing that holds the surface. */
  #content(node) {
    const { drawing, data } = this.lab;
    if (node === "noise") return this.shown?.noise ?? plane(drawing?.warp?.shape);
    if (node === "real") return this.shown?.real ?? data?.real ?? null;
    if (node === "generated") return this.shown?.generated ?? drawing?.generated ?? null;
    return drawing;
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

  #dots(ctx, xy, node, unit) {
    const extent = node === "noise" ? NOISE : this.#extent();
    const colour = this.#colours()[node === "noise" ? "generator" : node];
    drawPoints(ctx, this.#view(extent, unit), xy.subarray(0, MOST_DOTS), { colour, radius: 1.2, alpha: 0.85 * ctx.globalAlpha });
  }

  /** The surface, and where a person has zoomed in, that part of it in its newest state. */
  #surface(ctx, unit) {
    const view = this.#view(this.#extent(), unit);
    for (const drawing of new Set([this.lab.whole, this.lab.drawing])) {
      if (!drawing) continue;
      paintGrid(this.small, drawing.surface, this.#colours().scale);
      drawSurface(ctx, view, { image: this.small, grid: drawing.surface, extent: drawing.extent }, this.#colours());
    }
  }
}

let noise = null; // the plane that is drawn while no step is shown

function plane(shape = [21, 21]) {
  if (noise?.shape.join() !== shape.slice(0, 2).join()) noise = { shape: shape.slice(0, 2), points: noisePlane(shape) };
  return noise.points;
}

/** Where a picture lies, in shares of the diagram. */
function place(node) {
  const [x, y] = NODES[node];
  const share = (v, whole) => `${(100 * v) / whole}%`;
  return { left: share(x, WIDTH), top: share(y, HEIGHT), width: share(SIDE, WIDTH), height: share(SIDE, HEIGHT) };
}
