// The stability atlas: the run that trains it, and what is known of its cells.
// It has a run of its own beside the attached one, so that the lab goes on showing what it shows.

import { Listened } from "./listened.js";
import { readArrays } from "./decode.js";
import { PlayError, api, explore, idOf, state, t } from "./store.js";
import { remember, remembered } from "./store_core.js";
import { watch } from "./store_stream.js";

export const MODEL = "gan2d_atlas";
export const STATES = ["early", "covered", "partly", "collapsed", "orbiting", "diverged"];

const LAST = idOf("atlas-run");
const ENDED = new Set(["finished", "stopped", "diverged", "failed", "interrupted"]);
const UNDER_WAY = new Set(["queued", "starting", "running", "paused", "parked"]);
const AFTER_END_MS = 700; // a run that ends is put away first
const CELL_MS = 1500; // how often the large cell of a run is asked for anew

/**
 * @typedef {object} Reading what one "atlas" payload holds; arrays go row after row
 * @property {number[]} rows rates of G, lowest first
 * @property {number[]} columns rates of D
 * @property {Uint8Array} state number of each cell's state in STATES
 * @property {Uint8Array} modes modes reached (places occupied, where there are no modes)
 * @property {Uint8Array} strict modes by the published strict count
 * @property {Float32Array} quality share of points of high quality
 * @property {Float32Array} samples x, y of the points of each cell
 * @property {number} each how many points a cell has here
 * @property {Float32Array} real x, y of points of the data
 * @property {number[]} extent x0, x1, y0, y1
 * @property {number} total how many modes, or places, there are
 * @property {boolean} hasModes
 * @property {number} step
 */

/** Events: "reading", "run", "cell", "error". */
export class Atlas extends Listened {
  constructor() {
    super();
    this.run = null; // RunView of the atlas's run
    this.source = null; // {run} or {checkpoint}: what is on screen
    this.reading = null;
    this.selected = null; // {row, column}
    this.cell = null; // {generated, real, values} of the selected cell
    this.watcher = null;
    this.asked = 0;
    this.cellAt = -Infinity;
  }

  /** Show something at once: the last run of this browser, or else the shipped atlas. */
  async open() {
    const id = remembered(LAST);
    if (id) {
      try {
        return this.adopt(await api(`runs/${encodeURIComponent(id)}`));
      } catch (error) {
        if (error.status === 404) remember(LAST, null);
      }
    }
    return this.showShipped();
  }

  async showShipped() {
    const saved = state.catalogue.checkpoints.find((c) => c.model === MODEL);
    if (!saved) return;
    this.source = { checkpoint: saved.name };
    await this.load();
  }

  /** What trained what is on screen: data set and seed. */
  origin() {
    if (this.source?.run) return this.run;
    return state.catalogue.checkpoints.find((c) => c.name === this.source?.checkpoint) ?? null;
  }

  get active() {
    return Boolean(this.run) && UNDER_WAY.has(this.run.state);
  }

  // ---- the run --------------------------------------------------------------------------------

  /** Start a new atlas; one under way is stopped. */
  async start(body) {
    if (this.active) await this.command("stop").catch(() => {});
    const run = await api("runs", { body: { model: MODEL, preset: null, ...body } });
    remember(LAST, run.id);
    this.adopt(run);
    return run;
  }

  async command(name) {
    if (!this.run) throw new PlayError(t("shell.no_run"));
    await api(`runs/${this.run.id}/commands`, { body: { command: name } });
  }

  adopt(run) {
    this.watcher?.close();
    this.run = run;
    this.source = { run: run.id };
    this.asked += 1;
    this.reading = this.cell = null;
    this.select(null);
    this.emit("run", run);
    this.emit("reading", null);
    const mine = (view) => this.run?.id === run.id && view;
    this.watcher = watch(run.id, {
      event: (event) => mine(event) && this.#take(event),
      run: (view) => mine(view) && this.#update(view),
      gone: () => mine(run) && this.#gone(),
      connection: () => {},
      lively: () => this.active,
    });
    if (ENDED.has(run.state)) this.load();
  }

  #take(event) {
    if (event.kind === "preview" && event.name === "atlas") this.#read(event.payload);
    if (event.kind === "progress") this.#update({ step: event.step, steps_per_s: event.steps_per_s, remaining_s: event.remaining_s });
    if (event.kind !== "status") return;
    const was = this.run.state;
    this.#update({ state: event.state, message: event.message, step: event.step, position: event.position ?? null });
    if (ENDED.has(event.state) && was !== event.state) setTimeout(() => this.load(), AFTER_END_MS);
  }

  #update(change) {
    this.run = { ...this.run, ...change };
    this.emit("run", this.run);
  }

  #gone() {
    this.watcher?.close();
    this.run = this.source = this.reading = null;
    remember(LAST, null);
    this.select(null);
    this.emit("run", null);
    this.showShipped();
  }

  // ---- what is known --------------------------------------------------------------------------

  /** Ask for the atlas of the source. */
  async load() {
    const mine = (this.asked += 1);
    try {
      const payload = await explore("atlas", {}, { source: this.source, latest: "atlas" });
      if (mine === this.asked) this.#read(payload, true);
    } catch (error) {
      if (mine === this.asked && !(this.source?.run && this.run?.step === 0)) this.emit("error", error);
    }
  }

  #read(payload, whole = false) {
    this.reading = readAtlas(payload);
    this.emit("error", null);
    this.emit("reading", this.reading);
    if (this.selected) this.#askCell(whole);
  }

  /** Choose the cell that is shown large; null for none. */
  select(place) {
    const same = place && this.selected?.row === place.row && this.selected?.column === place.column;
    this.selected = place;
    if (!same) this.cell = null;
    this.emit("cell", this.cell);
    if (place && this.reading) this.#askCell(true);
  }

  async #askCell(now) {
    const time = performance.now();
    if (!now && time - this.cellAt < CELL_MS) return;
    this.cellAt = time;
    const { selected, source } = this;
    try {
      const payload = await explore("cell", { ...selected }, { source, latest: "atlas-cell" });
      if (this.selected !== selected || this.source !== source) return;
      const { generated, real } = readArrays(payload);
      this.cell = { generated: generated.data, real: real.data, values: payload.values };
      this.emit("cell", this.cell);
    } catch (error) {
      if (this.selected === selected && ENDED.has(this.run?.state ?? "finished")) this.emit("error", error);
    }
  }
}

function readAtlas(payload) {
  const arrays = readArrays(payload);
  const { values } = payload;
  return {
    rows: values.generator_rates, columns: values.discriminator_rates, step: values.step,
    state: arrays.state.data, modes: arrays.modes.data, strict: arrays.strict.data,
    quality: arrays.quality.data, samples: arrays.samples.data, each: arrays.samples.shape[2],
    real: arrays.real.data, extent: values.extent, total: values.modes, hasModes: values.has_modes,
  };
}

/** How many cells are in each state, by the state's name. */
export function counts(reading) {
  const found = Object.fromEntries(STATES.map((name) => [name, 0]));
  for (const number of reading.state) found[STATES[number]] += 1;
  return found;
}

/** A rate in two digits, short: 0.01, 2.2e-4. */
export function rate(value) {
  if (value >= 0.001) return String(Number(value.toPrecision(2)));
  return value.toExponential(1).replace(".0e", "e").replace("-", "−");
}
