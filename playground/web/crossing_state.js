// What crosses over: the model, the chosen picture, the direction, and the newest answer about them.
// Every other module of the tab reads from here and listens here.

import { Explored } from "./explored.js";
import { state } from "./store.js";

export const DIRECTIONS = ["a2b", "b2a"];
export const FITS = ["letterbox", "tiles"];
const FIRST = { index: 0, split: "test" };
const FIRST_MS = 4000; // in which a run that has just begun is asked nothing but its pictures
export const BROUGHT = ["upload", "drop", "paste", "camera", "link"]; // which may be refused for what they are
const PASSING = ["draw", "mirror"];
const SMALL_PIXELS = 300 ** 2;
const USUAL = 8; // held-out pictures that every run draws
const LOOKED_MS = 1200; // after which a live run draws what was chosen

/**
 * Events: "space" (another model), "chosen" {by} (another picture, direction or fit), "answer"
 * (what the server said of them), "sheet" {sheet, step} (pictures of a live run), "weights" {live}
 * (the same picture crosses over differently now), "past" (a past frame is shown, or no more),
 * "busy" (an answer is on its way, or no more), "status", "failed" {error, by}.
 */
export class Crossing extends Explored {
  constructor() {
    super("crossing");
    Object.assign(this, {
      status: "loading", // loading | ready | empty | failed
      error: null, live: false, past: null, step: null, busy: false,
      direction: DIRECTIONS[0], fit: FITS[0],
      chosen: FIRST, // {index, split}, or {picture: data URL, name, by, …} that a person brought
      answer: null, // {items, values, chosen, …} of the view "translate"
      sheet: null, // the newest live or kept pictures
      begun: -Infinity, // when the first picture of a live run came
      chosenAt: -Infinity,
    });
    this.#know({});
  }

  // ---- which model ------------------------------------------------------------------------------

  /** Begin with another source; `known` is what the page knows of it before anything was asked. */
  begin(known) {
    this.generation += 1;
    this.source = state.source;
    const { dataset } = this;
    Object.assign(this, { past: null, error: null, answer: null, sheet: null, step: null, changed: null });
    this.#know(known);
    if (dataset && this.dataset !== dataset && "index" in this.chosen) this.chosen = FIRST;
    this.setStatus("loading");
    this.emit("space");
  }

  #know({ model = null, config = {}, dataset = null, domains = [], paired = null, side = null }) {
    Object.assign(this, { model, config, dataset, paired, side });
    this.domains = domains.length === 2 ? domains : ["A", "B"];
  }

  setStatus(status, error = null) {
    Object.assign(this, { status, error });
    this.emit("status", status);
  }

  /** The other direction than the present one. */
  get other() {
    return DIRECTIONS.find((direction) => direction !== this.direction);
  }

  /** The names of the domains from which and to which pictures cross over now. */
  names() {
    const [a, b] = this.domains;
    return this.direction === "a2b" ? { from: a, to: b } : { from: b, to: a };
  }

  // ---- what is chosen -----------------------------------------------------------------------------

  /** The chosen picture as views take it. */
  pictureArgs() {
    const { picture, index, split } = this.chosen;
    return picture ? { picture } : { index, split };
  }

  args() {
    return { ...this.pictureArgs(), direction: this.direction, fit: this.fit };
  }

  /**
   * Choose {index, split} or {picture, …}, with a direction if need be. `passing`: another one
   * follows at once (a stroke that goes on, a camera that runs), so that only the stage follows.
   */
  choose(chosen, by, { passing = false, direction = this.direction } = {}) {
    this.chosen = { ...chosen, by };
    this.direction = direction;
    this.#changed(by, passing);
  }

  turn(direction) {
    if (direction === this.direction) return;
    this.direction = direction;
    this.#changed("direction");
  }

  setFit(fit) {
    if (fit === this.fit) return;
    this.fit = fit;
    this.#changed("fit");
  }

  #changed(by, passing = false) {
    this.changed = by;
    this.chosenAt = performance.now();
    this.translate(); // before anybody else asks for something
    if (!passing) this.emit("chosen", { by });
  }

  // ---- the server -----------------------------------------------------------------------------------

  #key() {
    return JSON.stringify(this.args());
  }

  /** Whether the answer is about what is chosen now. */
  get answered() {
    return this.answer?.key === this.#key();
  }

  /** Let the chosen picture cross over, and come back. */
  async translate() {
    if (this.status === "empty" || this.past) return;
    const key = this.#key();
    const { chosen, chosenAt } = this;
    this.#setBusy(true);
    try {
      for (const detail of this.#slow() ? [false, true] : [true]) {
        const answer = await this.ask("translate", { ...this.args(), detail }, "translate");
        if (!answer || (key !== this.#key() && !this.#follows(chosen))) return;
        if (detail && key === this.#key()) this.#setBusy(false);
        this.#take({ ...answer, key, chosenAt, chosen, partial: !detail });
      }
    } catch (error) {
      this.#setBusy(false);
      this.#refused(error, chosen);
    }
  }

  /** What was refused is not chosen any more: what is on the stage is. */
  #refused(error, chosen) {
    const { answer } = this;
    const by = this.changed ?? chosen.by;
    if (!answer && this.dataset?.startsWith("imported") && this.oneWay !== this.generation) {
      this.oneWay = this.generation; // imported weights may go one way only: the other one, once
      this.turn(this.other);
      return;
    }
    this.emit("failed", { error, by });
    if (answer) {
      const { direction, fit } = answer.values;
      Object.assign(this, { chosen: answer.chosen, direction, fit });
      this.emit("chosen", { by: "back" });
    } else if (BROUGHT.includes(by)) {
      this.chosen = FIRST;
      this.#changed("back");
    } else this.setStatus("failed", error);
  }

  /** Whether the translation is asked for first, and then what else there is of a picture. */
  #slow() {
    const { picture, width, height } = this.chosen;
    return picture && (this.fit === "tiles" || !(width * height <= SMALL_PIXELS));
  }

  #take(answer) {
    const before = this.answer;
    const same = answer.partial && before?.chosen === answer.chosen && before.values.direction === answer.values.direction;
    this.answer = same ? { ...answer, items: { ...before.items, ...answer.items }, values: { ...before.values, ...answer.values } } : answer;
    this.#learn(answer.values);
    this.setStatus("ready");
    this.emit("answer", this.answer);
  }

  /** While one draws, answers about the strokes before the last are shown too. */
  #follows({ by }) {
    return PASSING.includes(by) && this.chosen.by === by;
  }

  #learn({ domains, paired, side }) {
    if (domains?.length === 2) this.domains = domains;
    if (typeof paired === "boolean") this.paired = paired;
    if (side) this.side = side;
  }

  #setBusy(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    this.emit("busy", busy);
  }

  // ---- a live run -----------------------------------------------------------------------------------

  /** Take pictures of a live run. */
  takeLive(sheet, step) {
    const first = this.status !== "ready";
    Object.assign(this, { sheet, step });
    if (first) {
      this.begun = performance.now();
      this.setStatus("ready");
      if (!this.answered) this.translate();
    }
    this.emit("sheet", { sheet, step });
    this.emit("weights", { live: true });
  }

  /** Whether a run draws the chosen picture anyway: it is one of its first held-out ones. */
  get usual() {
    return this.chosen.split === FIRST.split && this.chosen.index < USUAL;
  }

  /** Which of a sheet's pictures is the chosen one; what a run is told to draw comes first. */
  get column() {
    return this.usual ? this.chosen.index : 0;
  }

  /** Whether a live run draws the chosen picture: one that is not the person's own draws the usual ones. */
  get led() {
    const told = performance.now() - this.chosenAt > LOOKED_MS;
    return told && Boolean(this.usual || state.run?.owner_is_you);
  }

  /** Whether a live run has had its first seconds for itself: what is asked of it takes its time. */
  get settled() {
    return performance.now() - this.begun > FIRST_MS;
  }

  // ---- the past ---------------------------------------------------------------------------------------

  /** Show a past frame's pictures, or the present again (null). */
  showPast(frame) {
    const was = this.past;
    const sheet = frame?.views?.translations;
    this.past = sheet ? { step: frame.step, sheet } : null;
    if (!was && !this.past) return;
    this.emit("past", this.past);
    if (!this.past && !this.answered) this.translate();
  }
}

/**
 * What a panel needs to stay up to date only while it is seen: `ask()` fetches and shows.
 * @param {Crossing} lab
 * @param {() => Promise<void>|void} ask
 * @param {{live?: boolean, chosen?: boolean}} [when] also while a run trains; also when another
 *   picture is chosen
 */
export function freshness(lab, ask, { live = false, chosen = true } = {}) {
  let stale = true;
  let seen = false;
  const touch = () => {
    stale = true;
    if (!seen || lab.status !== "ready" || lab.past) return;
    stale = false;
    ask();
  };
  lab.on("space", touch);
  lab.on("status", () => { if (stale) touch(); });
  lab.on("weights", (weights) => { if (!weights.live || live) touch(); });
  if (chosen) {
    lab.on("chosen", () => { stale = true; }); // the stage comes first
    lab.on("answer", () => { if (stale && lab.answered && !lab.busy) touch(); });
  }
  return {
    touch,
    shown: (on) => {
      seen = on;
      if (on && stale) touch();
    },
  };
}
