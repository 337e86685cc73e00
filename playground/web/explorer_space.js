// The latent space that is explored: its size, the plane shown, the codes, the chosen point.
// Every other module of the explorer reads from here and listens here; the server is asked
// through `ask`. Map coordinates u lie in the plane: u = (z - origin) basis', and back
// z = base + (u - u(base)) basis, where `base` holds what lies off the plane.

import { Explored } from "./explored.js";
import { announce, emit as tell, state, t } from "./store.js";
import { Cloud } from "./map_cloud.js";

export const MAP_COUNT = 5000;

/**
 * Events: "space" {turned} (another space, or the same one turned to another plane: begin anew), "cloud" (points moved or came),
 * "weights" {live} (decodings are out of date), "base" (moved off the plane), "point",
 * "view" (the visible part of the map), "past" (a past frame is shown, or no more), "status".
 */
export class Space extends Explored {
  constructor() {
    super("explorer");
    this.status = "loading"; // loading | ready | empty | failed
    this.error = null;
    this.live = false; // a run is training and shown
    this.past = null; // {step} while the timeline shows a past frame
    this.dim = 2;
    this.classNames = [];
    this.shape = [1, 28, 28];
    this.choice = null; // the plane asked for; null = the usual one
    this.plane = axesPlane(2);
    this.base = [0, 0];
    this.cloud = new Cloud();
    this.present = this.cloud; // the cloud of the present weights, while a past one is shown
    this.extent = null; // where the codes lie
    this.view = null; // the part of the map that is visible
    this.values = {};
    this.point = null; // {z, u, from, time}
  }

  /** Begin with another source; `known` holds what is known of it before anything was asked. */
  begin({ dim, classNames, shape } = {}) {
    this.generation += 1;
    this.source = state.source;
    this.past = null;
    this.view = null;
    this.error = null;
    this.choice = null;
    this.moved = false; // off the plane, by the person
    if (dim) this.#resize(dim);
    this.classNames = classNames ?? [];
    if (shape) this.shape = shape;
    this.present = new Cloud();
    this.present.flat = this.dim === 1;
    this.setStatus("loading");
  }

  #resize(dim) {
    this.dim = dim;
    this.plane = dim <= 2 ? axesPlane(dim) : null;
    this.base = new Array(dim).fill(0);
    if (this.point && this.point.z?.length !== dim) this.point = null;
  }

  setStatus(status, error = null) {
    this.status = status;
    this.error = error;
    this.emit("status", status);
  }

  // ---- geometry -------------------------------------------------------------------------------

  /** Map coordinates [x, y] of a code. */
  project(z) {
    if (!this.plane) return [0, 0];
    const { basis, origin } = this.plane;
    const u = basis.map((row) => row.reduce((sum, b, i) => sum + b * (z[i] - origin[i]), 0));
    return [u[0], u[1] ?? 0];
  }

  /** The code at map coordinates, off the plane where the base point is; null when unknown. */
  lift(u) {
    if (!this.plane) return null;
    const { basis } = this.plane;
    const here = this.project(this.base);
    return this.base.map((b, i) =>
      b + basis.reduce((sum, row, k) => sum + (u[k] - here[k]) * row[i], 0));
  }

  /** Whether two codes lie at the same place off the plane. */
  #sameOffPlane(z) {
    if (this.dim <= 2 || !this.plane) return true;
    const lifted = this.lift(this.project(z));
    return lifted.every((v, i) => Math.abs(v - z[i]) < 1e-4 * (1 + Math.abs(v)));
  }

  axisNames() {
    return this.plane?.names ?? this.cloud.axes;
  }

  className(label) {
    return this.classNames[label] ?? String(label);
  }

  // ---- the server -----------------------------------------------------------------------------

  /** The arguments that say which plane: the choice for views of the whole, else the plane itself. */
  planeArgs(whole = false) {
    if (this.dim <= 2) return {};
    const exact = this.plane && !whole
      ? { basis: this.plane.basis, origin: this.plane.origin, names: this.plane.names } : this.choice;
    return { plane: exact, at: this.base };
  }

  /** What a live run is asked to draw its map, grid and atlas on: nothing special unless chosen. */
  look() {
    return this.dim > 2 && (this.choice || this.moved) ? { plane: this.choice ?? { pca: true }, at: this.base } : {};
  }

  /** Read the whole map, and what is known of the space. */
  async load() {
    const args = { count: MAP_COUNT, ...this.planeArgs(true) };
    try {
      const answer = await this.ask("map", args, "map");
      if (answer) this.#take(answer);
    } catch (error) {
      this.setStatus("failed", error);
    }
  }

  /** What makes it another space, plane or data set. */
  #kind() {
    return JSON.stringify([this.dim, this.shownChoice, this.shape, this.classNames]);
  }

  #take({ items, values }) {
    const [before, generation] = [this.#kind(), this.taken];
    this.taken = this.generation;
    if (values.latent_dim !== this.dim) this.#resize(values.latent_dim);
    this.shownChoice = this.choice;
    this.values = values;
    this.classNames = values.class_names;
    this.shape = values.shape ?? this.shape;
    if (values.plane?.basis) this.plane = values.plane;
    this.extent = values.extent;
    this.present.flat = this.dim === 1;
    const first = this.status !== "ready" || this.present.total === 0;
    this.present.setSpread(0.8 * (values.extent[1] - values.extent[0]) / 2);
    this.present.apply(items.points);
    if (!this.past) this.cloud = this.present;
    this.status = "ready";
    this.#choosePoint();
    if (first || before !== this.#kind()) this.emit("space", { turned: generation === this.generation });
    else this.emit("weights", { live: this.live });
    this.emit("cloud");
    this.emit("status", "ready");
  }

  /** Take points of a live run. */
  takeLive(payload) {
    this.present.apply(payload);
    const first = this.status !== "ready";
    if (!this.past) this.cloud = this.present;
    if (first) {
      this.taken = this.generation;
      this.extent = this.present.extent();
      this.status = "ready";
      this.#choosePoint();
      this.emit("space", { turned: false });
      this.emit("status", "ready");
    }
    if (!this.past) this.emit("cloud");
  }

  /** Show another plane: {axes: [i, j]} or {pca: true}. */
  choosePlane(choice) {
    this.choice = choice;
    this.cloud.moving = true;
    this.emit("choice", choice);
    return this.load();
  }

  /** Show a past frame's cloud, or the present again (null). */
  showPast(frame) {
    if (!frame && !this.past) return;
    if (!frame) {
      this.past = null;
      this.cloud = this.present;
    } else {
      if (!this.past) this.pastCloud = new Cloud();
      this.pastCloud.flat = this.present.flat;
      this.pastCloud.spread = this.present.spread;
      this.past = { step: frame.step };
      if (frame.views?.map) this.pastCloud.apply(frame.views.map);
      if (this.pastCloud.total) this.cloud = this.pastCloud;
    }
    this.emit("past", frame);
    this.emit("cloud");
  }

  // ---- the point ------------------------------------------------------------------------------

  #choosePoint() {
    const linked = state.point?.z;
    if (this.point?.z?.length === this.dim) {
      this.point = { ...this.point, u: this.project(this.point.z) };
    } else if (linked?.length === this.dim) {
      this.point = { z: [...linked], u: this.project(linked), from: "link" };
    } else {
      const z = this.plane ? this.#middle() : new Array(this.dim).fill(0);
      this.point = { z, u: this.project(z), from: "start" };
    }
    this.base = [...this.point.z];
  }

  #middle() {
    if (this.dim > 2 || !this.extent) return [...this.plane.origin];
    const [x0, x1, y0, y1] = this.extent;
    const i = this.present.nearest(x0 + 0.62 * (x1 - x0), (y0 + y1) / 2);
    return i < 0 ? [...this.plane.origin] : Array.from(this.present.target.slice(2 * i, 2 * i + this.dim));
  }

  /**
   * Move the point, by code or by map coordinates.
   * @param {{z?: number[], u?: number[]}} place
   * @param {string} from "click", "key", "grid", "number", "slider", "drawing", "walk" …
   * @param {number} [time] when the person acted (event.timeStamp)
   */
  moveTo({ z, u }, from, time = performance.now()) {
    const code = z ? [...z] : this.lift(this.dim === 1 ? [u[0], 0] : u);
    if (!code || code.some((v) => !Number.isFinite(v))) return;
    const offPlane = !this.#sameOffPlane(code);
    this.base = code;
    this.point = { z: code, u: u ?? this.project(code), from, time, offPlane };
    if (this.dim === 1) this.point.u = [this.point.u[0], 0];
    if (from !== "link") tell("point", { z: code, u: this.point.u, from });
    this.emit("point", this.point);
    if (!offPlane) return;
    this.moved = true;
    this.emit("base");
  }

  /** Say to a screen reader what the point shows. */
  announcePoint(names) {
    announce(t("explorer.said_point", {
      place: this.point.u.map((v) => v.toFixed(2)).join(", "), names: [...new Set(names)].join(", "),
    }));
  }
}

function axesPlane(dim) {
  const basis = Array.from({ length: dim }, (_, k) => Array.from({ length: dim }, (_, i) => Number(i === k)));
  return { basis, origin: new Array(dim).fill(0), names: dim === 1 ? ["z1", ""] : ["z1", "z2"] };
}
