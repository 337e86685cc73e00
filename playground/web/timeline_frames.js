/** The kept frames of the attached run: read once, then extended by what the run sends. */

import { api, on, state } from "./store.js";

/** @typedef {{step: number, views: Object<string, object>}} Frame */

export class Frames {
  /** @param {() => void} changed called when frames came or went */
  constructor(changed) {
    /** @type {Frame[]} */
    this.list = [];
    this.changed = changed;
    this.loading = null;
    this.runId = null;
    on("reset", () => this.#forget());
    on("run", (run) => this.#follow(run));
    on("preview", (event) => this.#take(event));
    on("status", (event) => this.#status(event.state));
    this.#follow(state.run);
  }

  get last() {
    return this.list.length - 1;
  }

  /** The index of the last frame at or before a step, at least 0. */
  indexAt(step) {
    let index = 0;
    while (index < this.last && this.list[index + 1].step <= step) index += 1;
    return index;
  }

  /** Where a step lies between the frames: 2.5 is half way from the third to the fourth. */
  place(step) {
    const index = this.indexAt(step);
    const [from, to] = [this.list[index]?.step, this.list[index + 1]?.step];
    if (from === undefined || step <= from) return index;
    return to === undefined ? this.list.length : index + (step - from) / (to - from);
  }

  #forget() {
    this.list = [];
    this.runId = null;
    this.changed();
  }

  #follow(run) {
    const id = run?.id ?? null;
    if (id === this.runId) return;
    this.runId = id;
    this.list = [];
    if (id) this.load();
    this.changed();
  }

  #take({ kept, step, name, payload }) {
    if (!kept || !this.runId) return;
    this.#insert(step, { [name]: payload });
    this.changed();
  }

  #status(now) {
    if (["paused", "finished", "stopped", "diverged"].includes(now)) this.load();
  }

  /** Read what the server keeps: it knows frames that passed while this page looked elsewhere. */
  async load() {
    const id = this.runId;
    if (!id || this.loading === id) return;
    this.loading = id;
    try {
      const { frames } = await api(`runs/${encodeURIComponent(id)}/timeline`);
      if (this.runId !== id) return;
      for (const frame of frames ?? []) this.#insert(frame.step, frame.views);
      this.changed();
    } catch (error) {
      if (!error.sentence) throw error; // a timeline that cannot be read now is read again later
    } finally {
      this.loading = null;
    }
  }

  #insert(step, views) {
    let at = this.list.length;
    while (at > 0 && this.list[at - 1].step >= step) at -= 1;
    const same = this.list[at]?.step === step;
    const frame = { step, views: { ...(same ? this.list[at].views : {}), ...views } };
    this.list.splice(at, same ? 1 : 0, frame);
  }
}
