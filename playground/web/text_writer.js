// Writes: asks for the next tokens, the first one alone so that it comes at once, and lets those
// that have come flow onto the page evenly until the text is long enough or somebody says stop.

import { calm } from "./explorer_dom.js";
import { textOf, typedFirst } from "./text_branches.js";
import { emit, state } from "./store.js";

const FIRST = 1;
const SECOND = 8;
const CHUNK = 64;
const AHEAD = 96; // tokens that wait to be shown at most
const FLOW_MS = 220; // in which what waits would have flowed onto the page
const MOST_COLOURED = 2000; // characters that were typed
const PEEK_LIVE_MS = 1500; // how often a run that trains is asked what would come next

export class Writer {
  /** @param {import("./text_state.js").Writing} lab */
  constructor(lab) {
    Object.assign(this, { lab, turn: 0, waiting: [], peekedAt: -Infinity });
    lab.on("text", () => this.#peek());
    lab.on("status", () => lab.rest());
    lab.on("weights", () => this.#peek(true));
    lab.on("knobs", ({ name }) => { if (name === "seed") this.#peek(); });
    for (const type of ["space", "past"]) lab.on(type, () => this.stop());
  }

  /** Go on writing from the end; resolves when it is done, or was stopped. */
  async write(count = this.lab.knobs.length, { quietly = false } = {}) {
    const { lab } = this;
    if (lab.past || lab.over || lab.status !== "ready") return;
    const turn = (this.turn += 1);
    Object.assign(this, { waiting: [], ms: null, begun: performance.now() });
    lab.pin(null);
    lab.branch.began = lab.branch.items.length;
    lab.setWriting(true);
    const known = this.#known();
    if (known) this.#take([known]);
    try {
      await this.#fetch(count, known ? 1 : 0, turn);
      await this.#until(() => this.waiting.length === 0, turn);
      if (turn === this.turn && !quietly) emit("tried", { what: "generated", tokens: count, temperature: lab.knobs.temperature });
    } catch (error) {
      if (turn === this.turn) lab.emit("failed", { error });
    }
    if (turn === this.turn) lab.setWriting(false);
  }

  /** Stop at once: what has not been shown is not kept. */
  stop() {
    if (!this.lab.writing) return;
    this.turn += 1;
    this.waiting = [];
    this.wake?.();
    this.lab.setWriting(false);
  }

  /** The next token, when it is known already: it was drawn with these knobs while the text rested. */
  #known() {
    const { lab } = this;
    return lab.next && !lab.live && this.peeked === shaping(lab.knobs) ? lab.next : null;
  }

  async #fetch(count, given, turn) {
    const { lab } = this;
    for (let done = given, chunk = given ? SECOND : FIRST; done < count && !lab.over;) {
      const further = this.waiting.map(({ id }) => id);
      const payload = await lab.ask("continue", lab.args(Math.min(chunk, count - done), further));
      if (!payload || turn !== this.turn) return;
      const records = lab.read(payload, this.waiting.length);
      if (!records.length) return;
      done += records.length;
      chunk = chunk === FIRST ? SECOND : CHUNK;
      lab.learnt(payload.values, records.length < SECOND ? lab.rate : payload.values.tokens_per_s);
      this.#take(records);
      await this.#until(() => this.waiting.length < AHEAD, turn);
      if (turn !== this.turn) return;
    }
  }

  // ---- flowing onto the page ----------------------------------------------------------------------------

  #take(records) {
    this.waiting.push(...records);
    if (this.ms === null || calm()) this.#show(this.waiting.length);
    if (!this.flowing) this.#flow(performance.now());
  }

  #flow(before) {
    this.flowing = true;
    requestAnimationFrame((now) => {
      if (!this.waiting.length) {
        this.flowing = false;
        return;
      }
      this.owed = (this.owed ?? 0) + (this.waiting.length * Math.max(1, now - before)) / FLOW_MS + 0.2;
      const ready = Math.floor(this.owed);
      this.owed -= ready;
      if (ready) this.#show(ready);
      this.#flow(now);
    });
  }

  #show(count) {
    const shown = this.waiting.splice(0, count);
    if (!shown.length) return;
    this.lab.add(shown);
    this.ms ??= performance.now() - this.begun;
    this.wake?.();
  }

  /** Resolves when something is so, or when the writing has been stopped. */
  async #until(so, turn) {
    while (turn === this.turn && !so()) await new Promise((resolve) => { this.wake = resolve; });
  }

  // ---- what would come next -------------------------------------------------------------------------------

  /** Ask how likely what was typed first is. */
  async #colour(branch) {
    const { lab } = this;
    const first = typedFirst(branch.items);
    const text = textOf(first);
    if (!text || text.length > MOST_COLOURED || first.every(({ plain }) => plain !== undefined)) return;
    const payload = await lab.ask("score", { text }, "colour");
    if (payload && !lab.writing && lab.branch === branch) lab.colour(payload);
  }

  /** Ask what would come next, so that it is seen while somebody types. */
  async #peek(live = false) {
    const { lab } = this;
    if (lab.writing || lab.past || lab.over || lab.status !== "ready" || !state.visible) return;
    if (live && performance.now() - this.peekedAt < PEEK_LIVE_MS) return;
    this.peekedAt = performance.now();
    const { branch } = lab;
    const [asked, knobs] = [lab.text, shaping(lab.knobs)];
    try {
      const payload = await lab.ask("continue", lab.args(1), "peek");
      if (!payload || lab.writing || lab.branch !== branch || lab.text !== asked) return;
      const [record] = lab.read(payload);
      lab.learnt(payload.values);
      this.peeked = knobs;
      lab.setNext(record ?? null);
      if (!live) await this.#colour(branch);
    } catch (error) {
      lab.emit("failed", { error });
    }
  }
}

/** All that decides which token is drawn, but for the text. */
const shaping = ({ length, ...others }) => JSON.stringify(others);
