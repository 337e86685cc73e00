// What the lab shows now: the newest drawing of the model, the data, and where they come from.

import { Listened } from "./listened.js";
import { readArrays } from "./decode.js";
import { coverage } from "./lab_math.js";
import { explore, state } from "./store.js";

const FINE = 96; // cells a side of the surface when nothing trains

/**
 * @typedef {object} Drawing what one "lab" payload holds
 * @property {Float32Array} generated x, y of every point
 * @property {Float32Array} scores D's probability of every generated point
 * @property {{data: Float32Array, shape: number[]}} surface D's probability on a grid, top row first
 * @property {{data: Float32Array, shape: number[]}} warp where G takes a grid of noise
 * @property {{data: Float32Array, shape: number[]}} arrows x, y, dx, dy
 * @property {number[]} extent of the surface
 * @property {number} step
 * @property {number} dReal mean probability of real points
 * @property {number} dFake of generated ones
 */

/** State of the lab; events: "drawing", "data", "status", "error". */
export class Lab extends Listened {
  constructor() {
    super();
    this.drawing = null; // the newest one
    this.whole = null; // the newest one of all the data's part of the plane
    this.losses = null; // {discriminator, generator} of a saved model
    this.data = null; // {real, means, sd, extent, classNames}
    this.status = "empty"; // empty | loading | ready
    this.live = false; // whether a run draws by itself
    this.past = null; // step of the past frame that is shown
    this.extent = null; // the part of the plane that a person zoomed to, or null
    this.asked = 0; // serial number of the newest question
  }

  setStatus(status) {
    this.status = status;
    this.emit("status", status);
  }

  /** Take a "lab" payload: what was drawn becomes what is shown. */
  take(payload) {
    this.drawing = readDrawing(payload);
    if (!this.extent) this.whole = this.drawing;
    this.marks = null;
    if (this.status !== "ready") this.setStatus("ready");
    this.emit("drawing", this.drawing);
  }

  /** The step of what is drawn; a saved model's drawing does not know it. */
  step() {
    const { run, source, catalogue } = state;
    if (this.past !== null) return this.past;
    if (source?.checkpoint) return catalogue.checkpoints.find((c) => c.name === source.checkpoint)?.step ?? null;
    return (this.live ? this.drawing?.step : run?.step) ?? null;
  }

  /** Coverage of the modes by the points that are shown, or null where there are no modes. */
  coverage() {
    if (!this.data?.means || !this.drawing) return null;
    this.marks ??= coverage(this.drawing.generated, this.data.means, this.data.sd);
    return this.marks;
  }

  /** Ask for everything of the present source. */
  async load() {
    const mine = (this.asked += 1);
    if (!this.drawing) this.setStatus("loading");
    try {
      const [data] = await Promise.all([explore("data", {}), this.redraw()]);
      if (mine === this.asked) this.#takeData(data);
      if (state.source?.checkpoint) await this.#rehearse(mine);
    } catch (error) {
      if (mine === this.asked) this.emit("error", error);
    }
  }

  /** A saved model tells no losses: those of the step that it would take next stand for them. */
  async #rehearse(mine) {
    const { values } = await explore("step_parts", {});
    if (mine !== this.asked) return;
    this.losses = values.loss;
    this.emit("losses");
  }

  /** Ask for the data alone: a live run draws the rest by itself. */
  async loadData() {
    const mine = this.asked;
    try {
      const data = await explore("data", {}, { latest: "lab-data" });
      if (mine === this.asked) this.#takeData(data);
    } catch (error) {
      if (mine === this.asked) this.emit("error", error);
    }
  }

  /** Ask for a drawing of the present weights, of the part that is seen. */
  async redraw() {
    const mine = this.asked;
    const payload = await explore("lab", { resolution: FINE, ...this.look() }, { latest: "lab" });
    if (mine === this.asked && this.past === null) this.take(payload);
  }

  /** What "lab" should draw: more finely where a person has zoomed in. */
  look() {
    return this.extent ? { extent: this.extent.map((v) => Number(v.toPrecision(6))) } : {};
  }

  #takeData(payload) {
    const arrays = readArrays(payload);
    const { extent, means, sd, class_names: classNames } = payload.values;
    this.data = { real: arrays.real.data, extent, means: means?.length ? means : null, sd, classNames };
    this.marks = null;
    this.emit("data", this.data);
  }

  /** Other data are looked at now: the old ones, and where one looked at them, do not count. */
  leaveData() {
    this.data = this.extent = this.marks = null;
    this.emit("left");
  }

  /** Nothing of the former source counts any more. */
  forget() {
    this.asked += 1;
    this.losses = null;
    this.past = null;
    this.emit("error", null);
  }
}

function readDrawing(payload) {
  const { generated, scores, surface, warp, arrows } = readArrays(payload);
  const { extent, step, d_real: dReal, d_fake: dFake } = payload.values;
  return { generated: generated.data, scores: scores?.data, surface, warp, arrows, extent, step, dReal, dFake };
}
