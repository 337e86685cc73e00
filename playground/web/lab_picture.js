// The large picture: one canvas, drawn at most once a frame from what is known by then.

import { calm, inFrame } from "./explorer_dom.js";
import { Camera } from "./lab_camera.js";
import { colours, paintGrid } from "./lab_colours.js";
import { drawArrows, drawSurface, drawWarp } from "./lab_layers.js";
import { drawCentres, drawPoints, drawProbe, drawTicks } from "./lab_marks.js";
import { between, flatGrid } from "./lab_math.js";
import { on } from "./store.js";

export const LAYERS = ["surface", "warp", "real", "generated", "arrows", "centres"];
const UNFOLD_MS = 2200; // the way of the noise to the data
const MOST_RATIO = 2; // device pixels of a pixel: more costs much and shows nothing more

export class Picture {
  /**
   * @param {import("./lab_state.js").Lab} lab
   * @param {HTMLCanvasElement} canvas
   */
  constructor(lab, canvas) {
    Object.assign(this, { lab, canvas });
    this.layers = Object.fromEntries(LAYERS.map((name) => [name, !["warp", "arrows"].includes(name)]));
    this.stage = null; // what slow motion shows in place of the layers
    this.probe = null; // {place, pinned}
    this.unfolding = null; // {start} while the grid of noise is on its way to the data
    this.request = inFrame((time) => this.#draw(time));
    this.camera = new Camera(canvas, () => { this.request(); this.onlook?.(); });
    this.surface = document.createElement("canvas");
    this.still = document.createElement("canvas"); // real points, which change seldom
    this.colours = colours();
    this.#listen();
  }

  #listen() {
    this.lab.on("drawing", () => this.request());
    this.lab.on("data", () => { this.stillOf = null; this.#home(); this.request(); });
    this.lab.on("drawing", () => this.#home());
    this.lab.on("left", () => { this.camera.chosen = false; this.stillOf = null; this.request(); });
    on("theme", () => { this.colours = colours(); this.painted = this.stillOf = null; this.request(); });
    new ResizeObserver(() => { this.camera.resized(); this.stillOf = null; this.#draw(performance.now()); }).observe(this.canvas);
  }

  /** The usual part: where the data are, whatever the generator does. */
  #home() {
    const extent = this.lab.data?.extent ?? this.lab.drawing?.extent;
    if (extent) this.camera.setHome(extent);
  }

  show(layer, on) {
    this.layers[layer] = on;
    this.request();
  }

  /** Let the grid of the noise plane move to where the generator takes it. */
  unfold() {
    this.layers.warp = true;
    this.unfolding = { start: performance.now() };
    this.request();
  }

  // ---- drawing ----------------------------------------------------------------------------------

  #draw(time) {
    const ctx = this.#sized();
    if (!ctx) return;
    const { drawing, data } = this.lab;
    const view = this.#view();
    ctx.fillStyle = this.colours.paper;
    ctx.fillRect(0, 0, view.width, view.height);
    const shown = this.stage?.layers ?? this.layers;
    if (drawing && shown.surface) this.#drawSurface(ctx, view, drawing);
    if (drawing?.warp && shown.warp) drawWarp(ctx, view, this.#warp(drawing, time), drawing.extent, this.colours);
    if (data && shown.real) this.#drawReal(ctx, view, data);
    if (this.stage) this.stage.draw(ctx, view, this.colours, time);
    else if (drawing && shown.generated) drawPoints(ctx, view, drawing.generated, this.#style("generated"));
    if (!this.stage && drawing?.arrows && shown.arrows) drawArrows(ctx, view, drawing.arrows, this.colours);
    if (shown.centres && this.lab.coverage()) {
      drawCentres(ctx, view, data.means, this.lab.coverage().modes, data.sd, { ...this.colours, marks: MARKS });
    }
    drawTicks(ctx, view, this.colours);
    if (this.probe) drawProbe(ctx, view, this.probe.place, this.colours, this.probe.pinned);
    this.canvas.dataset.paints = String(Number(this.canvas.dataset.paints ?? 0) + 1);
  }

  #sized() {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (!w || !h) return null;
    this.ratio = Math.min(window.devicePixelRatio || 1, MOST_RATIO);
    const [width, height] = [Math.round(w * this.ratio), Math.round(h * this.ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const ctx = this.canvas.getContext("2d", { alpha: false });
    ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    return ctx;
  }

  #view() {
    const { width, height } = this.camera.area();
    return {
      px: this.camera.projection(), width, height, ratio: this.ratio,
      scale: this.camera.scale(), range: this.camera.now,
    };
  }

  #drawSurface(ctx, view, { surface, extent }) {
    if (this.painted !== surface) paintGrid(this.surface, surface, this.colours.scale);
    this.painted = surface;
    drawSurface(ctx, view, { image: this.surface, grid: surface, extent }, this.colours);
  }

  #warp(drawing, time) {
    if (!this.unfolding || calm()) return drawing.warp;
    const share = (time - this.unfolding.start) / UNFOLD_MS;
    if (share >= 1) {
      this.unfolding = null;
      return drawing.warp;
    }
    this.request();
    const flat = flatGrid(drawing.warp.shape, this.camera.home);
    const eased = share < 0 ? 0 : share * share * (3 - 2 * share);
    return { shape: drawing.warp.shape, data: between(flat.data, drawing.warp.data, eased) };
  }

  #drawReal(ctx, view, data) {
    const key = [...view.range, this.canvas.width, this.colours.theme].join(" ");
    if (this.stillOf !== key) this.#drawStill(view, data);
    this.stillOf = key;
    ctx.drawImage(this.still, 0, 0, view.width, view.height);
  }

  #drawStill(view, data) {
    Object.assign(this.still, { width: this.canvas.width, height: this.canvas.height });
    const ctx = this.still.getContext("2d");
    ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    drawPoints(ctx, view, data.real, this.#style("real"));
  }

  #style(kind) {
    const small = this.camera.area().width < 420;
    const radius = kind === "real" ? 1.9 : 2.6;
    return {
      colour: this.colours[kind], radius: small ? radius - 0.4 : radius, halo: this.colours.halo,
      alpha: kind === "real" ? 0.75 : 0.95,
    };
  }
}

/** Covered, hardly covered, not covered: told by their signs too, and safe for the colour-blind. */
export const MARKS = { strict: "#1a7f4b", loose: "#b07400", none: "#b42318" };
