// The generator that is explored: its samples, the chosen one, and the way to ask for more.
// Every other module of the sampler reads from here and listens here.

import { Explored } from "./explored.js";
import { emit as tell, state } from "./store.js";

export const COUNT = 64; // samples of the grid, as many as a live run draws
export const COLUMNS = 8;
const NEIGHBOURS = 6;
const FIRST_MS = 4000; // in which a run that has just begun is asked nothing but its pictures

/**
 * Events: "space" (another generator), "samples" (the grid has other pictures), "chosen" (another
 * sample is chosen), "sample" (what is known of the chosen one), "weights" {live} (the same noise
 * makes other pictures now), "past" (a past frame is shown, or no more), "status", "pick" {z,
 * index} (the person clicked a sample), "failed" (the grid could not be drawn).
 */
export class Sampler extends Explored {
  constructor() {
    super("sampler");
    Object.assign(this, {
      status: "loading", // loading | ready | empty | failed
      error: null, live: false, past: null, step: null,
      seed: 0, truncation: 1, label: null,
      drawn: null, // {sheet, zs, labels} of the grid
      chosen: { index: 0 }, // a place in the grid, or {z, label} from elsewhere
      answer: null, // what the server said of the chosen one
      begun: -Infinity, // when the first picture of a live run came
    });
    this.#know({});
  }

  // ---- which generator ------------------------------------------------------------------------

  /** Begin with another source; `known` is what the page knows of it before anything was asked. */
  begin(known) {
    this.generation += 1;
    this.source = state.source;
    Object.assign(this, { past: null, error: null, drawn: null, answer: null, step: null });
    const { latentDim, dataset } = this;
    this.#know(known);
    if (!this.conditional) this.label = null;
    if (this.latentDim !== latentDim || this.dataset !== dataset || !("index" in this.chosen)) this.chosen = { index: 0 };
    this.setStatus("loading");
    this.emit("space");
  }

  #know({ config = {}, dataset = null, classNames = [], shape = [1, 28, 28] }) {
    Object.assign(this, { config, dataset, classNames, shape, latentDim: config.latent_dim ?? null });
    this.conditional = Boolean(config.conditional);
    if (this.label !== null && this.label >= classNames.length) this.label = null;
  }

  setStatus(status, error = null) {
    this.status = status;
    this.error = error;
    this.emit("status", status);
  }

  className(label) {
    return this.classNames[label] ?? String(label);
  }

  // ---- the server -----------------------------------------------------------------------------

  /** The arguments that draw the grid, and what a live run is asked to draw. */
  drawing() {
    return { seed: this.seed, truncation: this.truncation, ...this.labelArgs() };
  }

  /** The class that is asked for, for views of many pictures. */
  labelArgs(label = this.label) {
    return this.conditional && label !== null && label !== undefined ? { label } : {};
  }

  /** Draw the grid of the seed. */
  async load() {
    try {
      const answer = await this.ask("samples", { count: COUNT, ...this.drawing() }, "samples");
      if (answer) this.#take(answer);
    } catch (error) {
      this.setStatus("failed", error);
      this.emit("failed", error);
    }
  }

  #take({ items, values }) {
    this.drawn = { sheet: items.sheet, zs: values.zs, labels: values.labels };
    this.latentDim = values.latent_dim ?? values.zs[0]?.length ?? this.latentDim;
    if (this.chosen.z && this.chosen.z.length !== this.latentDim) this.chosen = { index: 0 };
    this.setStatus("ready");
    this.emit("samples");
    this.look();
  }

  /** Take the grid of a live run: its noise stays, its pictures move. */
  takeLive(sheet, step) {
    const first = this.status !== "ready";
    this.step = step;
    this.drawn = { sheet, zs: this.drawn?.zs ?? null, labels: this.drawn?.labels ?? null };
    if (first) {
      this.begun = performance.now();
      this.setStatus("ready");
    }
    if (!this.past) this.emit("samples");
    this.emit("weights", { live: true });
    if (!this.drawn.zs && this.settled) this.#learnNoise();
  }

  /** Whether a live run has had its first seconds for itself: what is asked of it takes its time. */
  get settled() {
    return performance.now() - this.begun > FIRST_MS;
  }

  /** A live run sends pictures only: ask once what noise they are made of. */
  async #learnNoise() {
    const key = `${this.generation} ${JSON.stringify(this.drawing())}`;
    if (this.noiseAsked === key) return;
    this.noiseAsked = key;
    try {
      const answer = await this.ask("samples", { count: COUNT, ...this.drawing() }, "noise");
      if (!answer || this.noiseAsked !== key || key !== `${this.generation} ${JSON.stringify(this.drawing())}`) return;
      Object.assign(this.drawn, { zs: answer.values.zs, labels: answer.values.labels });
    } catch (error) {
      console.info("The noise of the live samples is not known yet:", error.message);
      this.noiseAsked = null;
    }
  }

  // ---- seed, truncation, class ------------------------------------------------------------------

  /** Draw other samples: {seed, truncation, label}. */
  set(change) {
    Object.assign(this, change);
    if (this.drawn) Object.assign(this.drawn, { zs: null, labels: null });
    if ("seed" in change && !("index" in this.chosen)) this.chosen = { index: 0 };
    this.emit("set", change);
    if (!this.live) this.load();
  }

  // ---- the chosen sample ------------------------------------------------------------------------

  /** Choose a place of the grid. `by` says how: "click", "key", "button". */
  choose(index, by) {
    this.chosen = { index };
    this.#chosenNow(by);
  }

  /** Choose noise from elsewhere: a neighbour, a stop, a link. */
  chooseNoise(z, label, by) {
    this.chosen = { z: [...z], label: label ?? null };
    this.#chosenNow(by);
  }

  #chosenNow(by) {
    const z = this.noise();
    if (z && by !== "link") tell("point", { z, u: null, from: by });
    this.emit("chosen", by);
    this.look();
  }

  /** The noise of the chosen sample, when it is known. */
  noise() {
    return this.chosen.z ?? this.drawn?.zs?.[this.chosen.index] ?? (this.#answered() ? this.answer.values.z : null);
  }

  #answered() {
    return this.answer && this.answer.key === this.#key();
  }

  #key() {
    return JSON.stringify([this.chosen, "index" in this.chosen ? this.drawing() : null]);
  }

  /** The class of the chosen sample, for a conditional model; null otherwise. */
  classOf() {
    if (!this.conditional) return null;
    if (this.chosen.z) return this.chosen.label ?? this.label ?? 0;
    return this.label ?? this.drawn?.labels?.[this.chosen.index] ?? (this.#answered() ? this.answer.values.label : null);
  }

  /** Ask what there is to know of the chosen sample. */
  async look() {
    if (this.status !== "ready" || this.past) return;
    const key = this.#key();
    const z = this.chosen.z ?? this.drawn?.zs?.[this.chosen.index];
    const args = z ? { z, ...this.labelArgs(this.classOf()) } : { index: this.chosen.index, ...this.drawing() };
    try {
      const answer = await this.ask("sample", { ...args, neighbours: NEIGHBOURS }, "sample");
      if (!answer || key !== this.#key()) return;
      this.answer = { ...answer, key };
      this.emit("sample", this.answer);
    } catch (error) {
      this.emit("sample", { error });
    }
  }

  // ---- the past -----------------------------------------------------------------------------------

  /** Show a past frame's grid, or the present again (null). */
  showPast(frame) {
    const was = this.past;
    this.past = frame?.views?.samples ? { step: frame.step, sheet: frame.views.samples } : null;
    if (!was && !this.past) return;
    this.emit("past", this.past);
    this.emit("samples");
    if (!this.past) this.look();
  }

  /** The sheet that is on screen. */
  sheet() {
    return this.past?.sheet ?? this.drawn?.sheet ?? null;
  }
}
