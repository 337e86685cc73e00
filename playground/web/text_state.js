// What is written: the text, who wrote which part of it, the branches it took, and what would come
// next. Every other module of the tab reads from here and listens here.

import { Explored } from "./explored.js";
import { readArrays } from "./decode.js";
import { Branches, lengthOf, textOf } from "./text_branches.js";
import { PLAIN, oddsOf } from "./text_odds.js";
import { state, t } from "./store.js";

export const KNOBS = {
  temperature: { min: 0, max: 2, step: 0.05, value: 0.8 },
  top_k: { min: 0, max: 64, step: 1, value: 0 },
  top_p: { min: 0.05, max: 1, step: 0.05, value: 1 },
  repetition_penalty: { min: 1, max: 2, step: 0.05, value: 1 },
  length: { min: 20, max: 1000, step: 20, value: 240 },
  seed: { min: 0, max: 2 ** 31 - 1, step: 1, value: 0 },
};
const MOST_CHARACTERS = 6000; // that are typed
const MOST_TOKENS = 19_000; // of a text
const REST_MS = 300; // without a change, after which a text rests

/**
 * Events: "space" (another model), "status", "text" (the text rests), "items" {from} (it is another
 * from this item on; null: as a whole), "added" {from} (items were written to its end), "branches",
 * "knobs" {name}, "writing", "focus" (another place is looked at), "next" (what would come next is
 * known), "facts", "weights" {live}, "past", "failed" {error}.
 */
export class Writing extends Explored {
  constructor() {
    super("text");
    Object.assign(this, {
      status: "loading", error: null, live: false, past: null, step: null,
      writing: false, pinned: null, hovered: null, next: null, forgotten: 0, rate: null, notes: [], full: false,
      knobs: Object.fromEntries(Object.entries(KNOBS).map(([name, { value }]) => [name, value])),
      names: new Map(), // what the tokens of this model are called
      branches: new Branches(),
    });
    this.#know({});
  }

  // ---- which model ------------------------------------------------------------------------------

  /** Begin with another source; the text stays, only its tokens are others. */
  begin(known) {
    this.generation += 1;
    this.source = state.source;
    Object.assign(this, { error: null, next: null, step: null, past: null, forgotten: 0, rate: null, notes: [], names: new Map() });
    this.#know(known);
    this.branches.forget();
    this.setStatus("loading");
    this.emit("space");
  }

  #know({ model = null, config = {}, dataset = null, title = "" }) {
    Object.assign(this, { model, config, dataset, title });
  }

  setStatus(status, error = null) {
    Object.assign(this, { status, error });
    this.emit("status", status);
  }

  // ---- the text -----------------------------------------------------------------------------------

  get branch() {
    return this.branches.current;
  }

  /** What is on screen: the present text, or one of the past. */
  get items() {
    return this.past?.items ?? this.branch.items;
  }

  get text() {
    return textOf(this.branch.items);
  }

  /** A person has changed the text. */
  edit(given) {
    const text = given.normalize("NFC"); // some systems type a Korean syllable in parts
    const most = this.room;
    this.full = text.length >= most;
    const from = this.branches.edit(text.slice(0, most));
    if (from === null) return;
    this.#moved(from);
  }

  /** How many characters the text may have after a person has changed it. */
  get room() {
    const written = this.branch.items.reduce((sum, { piece, typed }) => sum + (typed ? 0 : piece.length), 0);
    return MOST_CHARACTERS + written;
  }

  /** Whether no more can be written. */
  get over() {
    return (this.branch.ids?.length ?? 0) >= MOST_TOKENS;
  }

  /** What has to be said of the text. */
  get said() {
    return [this.full ? t("text.full", { n: MOST_CHARACTERS.toLocaleString("en") }) : "", this.over ? t("text.over", { n: MOST_TOKENS.toLocaleString("en") }) : "", ...this.notes].filter(Boolean);
  }

  /** Another text altogether. */
  reset(text) {
    this.full = false;
    this.branches.begin(text);
    this.#moved(null);
  }

  /** Show another branch. */
  show(branch) {
    if (branch === this.branch) return;
    this.branches.current = branch;
    this.#moved(null);
  }

  /** Go on from a place with another token there; returns how many tokens stood after it. */
  turnOff(index, id) {
    const { items } = this.branch;
    this.branches.turnOff(index, this.#chosen(items[index], id));
    this.#moved(null);
    return items.length - index - 1;
  }

  /** Go on from the end with a token that a person chose. */
  append(id) {
    this.add([{ ...this.next, ...this.#chosen(this.next, id) }]);
  }

  #chosen(place, id) {
    const plain = oddsOf(place, PLAIN, new Set()).find((entry) => entry.id === id)?.share ?? null;
    return { id, piece: this.nameOf(id), plain, forced: true, typed: false };
  }

  /** Go back to a place, from where something else is to be written. */
  cut(index) {
    this.branches.cut(index);
    this.#moved(null);
  }

  #moved(from) {
    Object.assign(this, { pinned: null, hovered: null, next: null });
    this.emit("items", { from });
    this.emit("branches");
    this.emit("focus");
    this.rest();
  }

  /** Tokens were written to the end. */
  add(records) {
    const from = this.branch.items.length;
    this.branches.push(records);
    this.next = null;
    this.emit("added", { from });
  }

  /** Say once that the text rests. */
  rest() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => { if (!this.writing) this.emit("text"); }, REST_MS);
  }

  setWriting(writing) {
    if (writing === this.writing) return;
    this.writing = writing;
    this.emit("writing", writing);
    if (writing) return;
    this.emit("branches");
    this.rest();
  }

  // ---- asking for more of it ------------------------------------------------------------------------

  /** The arguments that ask for what comes after the present text and these further tokens. */
  args(count, further = []) {
    const { ids } = this.branch;
    const { temperature, top_k, top_p, repetition_penalty, seed } = this.knobs;
    const given = ids ? { tokens: [...ids, ...further] } : { prompt: this.text };
    return { ...given, count, temperature, top_k, top_p, repetition_penalty, seed };
  }

  /** Take an answer about the present text; returns its tokens as records. */
  read(payload, after = 0) {
    const { values } = payload;
    const { branch } = this;
    this.#name(values.table);
    if (!branch.ids) {
      this.branches.learn(values.prompt_ids, values.prompt_pieces);
      this.notes = values.notes ?? [];
    }
    const known = readArrays(payload);
    const at = branch.ids.length + after;
    const records = values.pieces.map((piece, i) => record(known, piece, i, at + i, this.step));
    records.forEach(({ id, piece }) => { if (!this.names.has(id)) this.names.set(id, piece); });
    return records;
  }

  /** How far the text has left what the model sees, and how fast it was written. */
  learnt({ forgotten = 0 }, rate = this.rate) {
    Object.assign(this, { forgotten, rate });
    this.emit("facts");
  }

  /** What was typed first is known token by token, so that it is coloured too. */
  colour(payload) {
    const { values } = payload;
    const known = readArrays(payload);
    const more = this.branches.colour(values.pieces.map((piece, i) => ({ ...record(known, piece, i, i, this.step), typed: true })));
    if (more === null) return;
    this.#name(values.table);
    for (const name of ["pinned", "hovered"]) if (this[name] !== null) this[name] += more;
    this.emit("items", { from: 0 });
    this.emit("focus");
  }

  #name(table = {}) {
    for (const [id, piece] of Object.entries(table)) this.names.set(Number(id), piece);
  }

  nameOf(id) {
    return this.names.get(id) ?? `⟨${id}⟩`;
  }

  /** The tokens before a record. */
  before({ at }) {
    return this.branch.ids?.slice(0, at) ?? [];
  }

  /** The characters at the beginning that the model does not see any more. */
  get unseen() {
    if (!this.forgotten || !this.branch.pieces || this.past) return 0;
    return lengthOf(this.branch.pieces.slice(0, this.forgotten));
  }

  // ---- what is looked at ------------------------------------------------------------------------------

  /** The index of the token that is looked at; null for what comes next. */
  get focus() {
    return this.hovered ?? this.pinned;
  }

  hover(index) {
    if (index === this.hovered) return;
    this.hovered = index;
    this.emit("focus");
  }

  pin(index) {
    if (index === this.pinned && this.hovered === null) return;
    Object.assign(this, { pinned: index, hovered: null });
    this.emit("focus");
  }

  setNext(record) {
    this.next = record;
    this.emit("next");
  }

  turn(name, value) {
    if (this.knobs[name] === value) return;
    this.knobs[name] = value;
    this.emit("knobs", { name });
  }

  // ---- the past -----------------------------------------------------------------------------------------

  /** Show what was written at a past step, or the present again (null). */
  showPast(frame) {
    const values = frame?.views?.sample?.values;
    if (!values && !this.past) return;
    const written = values && (values.pieces ?? [values.text]).map((piece, i) => ({ piece, plain: values.probabilities?.[i], stale: true }));
    this.past = values ? { step: frame.step, items: [{ piece: values.prompt ?? "", typed: true }, ...written] } : null;
    Object.assign(this, { pinned: null, hovered: null });
    this.emit("past", this.past);
    this.emit("items", { from: null });
    this.emit("focus");
  }
}

/** One token as the page keeps it. */
function record(known, piece, i, at, step) {
  const row = (name) => {
    const { data, shape } = known[name] ?? { data: [], shape: [1, 0] };
    return data.slice(i * shape[1], (i + 1) * shape[1]);
  };
  return {
    piece, at, step, id: known.ids.data[i], plain: known.plain.data[i],
    uniform: known.uniform?.data[i] ?? null,
    ids: row("top_ids"), logits: row("top_logits"), rest: row("rest_logits"), counts: row("rest_count"),
  };
}
