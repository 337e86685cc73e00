// The branches that a text took. A branch is a whole text from its beginning: what was typed, as
// {piece, typed}, and what was written, token by token. It knows from which branch, and where, it
// turned off.

const MOST = 24; // branches that are kept

/**
 * @typedef {object} Branch
 * @property {number} number
 * @property {number|null} parent number of the branch that it turned off from
 * @property {number} fork index of the first item of its own
 * @property {number|null} began index of the item where writing began last
 * @property {boolean} edited whether a change began it, and nothing was written since
 * @property {object[]} items
 * @property {number[]|null} ids the tokens of the whole text; null when it was typed in
 * @property {string[]|null} pieces the text of each of them
 */

export const textOf = (items) => items.map(({ piece }) => piece).join("");
export const lengthOf = (pieces) => pieces.reduce((sum, piece) => sum + piece.length, 0);

/** How many tokens were written, and not typed. */
export const writtenIn = (items) => items.reduce((sum, { typed: by }) => sum + (by ? 0 : 1), 0);

/** The items at the beginning that were typed. */
export function typedFirst(items) {
  const end = items.findIndex(({ typed: by }) => !by);
  return end < 0 ? items : items.slice(0, end);
}

const typed = (text) => (text ? [{ piece: text, typed: true }] : []);

export class Branches {
  constructor() {
    this.all = [];
    this.count = 0;
    this.begin("");
  }

  /** Begin a text of its own. */
  begin(text) {
    this.#keep({ parent: null, fork: 0, items: typed(text), ids: null, pieces: null });
  }

  #keep(branch) {
    this.count += 1;
    this.current = { number: this.count, began: null, edited: false, ...branch };
    const parents = new Set([branch.parent, ...this.all.map(({ parent }) => parent)]);
    const worth = ({ number, items }) => writtenIn(items) || parents.has(number);
    this.all = [...this.all.filter(worth), this.current].slice(-MOST);
    for (const one of this.all) if (!this.of(one.parent)) one.parent = null;
  }

  of(number) {
    return this.all.find((branch) => branch.number === number) ?? null;
  }

  /**
   * Take a text that a person has changed. What was written before the change stays; what was
   * written after it was about another text and goes, but is kept in the branch that was left.
   * Returns the first item that is another, null for none.
   */
  edit(text) {
    const { items, number, edited } = this.current;
    const before = textOf(items);
    if (text === before) return null;
    const { same, tail } = common(before, text);
    const [from, kept] = itemsWithin(items, same);
    const gone = firstWritten(items, before.length - tail);
    const next = [...items.slice(0, from), ...typed(text.slice(kept, text.length - (before.length - gone)))];
    const now = { items: next, ids: null, pieces: null };
    if (!edited && items.slice(from).some((item) => !item.typed)) this.#keep({ parent: number, fork: from, edited: true, ...now });
    else Object.assign(this.current, now, { fork: Math.min(this.current.fork, from) });
    return from;
  }

  /** The tokens of the text that was typed have come. */
  learn(ids, pieces) {
    Object.assign(this.current, { ids: [...ids], pieces: [...pieces] });
  }

  push(records) {
    const { current } = this;
    current.edited = false;
    current.items.push(...records);
    for (const { id, piece } of records) {
      current.ids.push(id);
      current.pieces.push(piece);
    }
  }

  /** What was typed first, token by token; returns how many items more it is, null when it is another text. */
  colour(tokens) {
    const { current } = this;
    const first = typedFirst(current.items);
    const coloured = laidOver(tokens, textOf(first));
    if (!coloured) return null;
    const more = coloured.length - first.length;
    current.items = [...coloured, ...current.items.slice(first.length)];
    if (current.fork >= first.length) current.fork += more;
    if (current.began !== null) current.began += more;
    return more;
  }

  /** Turn off at an item: this token stands there instead. */
  turnOff(index, token) {
    const { number, items, ids, pieces } = this.current;
    const { at } = items[index];
    this.#keep({
      parent: number, fork: index, items: [...items.slice(0, index), { ...items[index], ...token }],
      ids: ids && [...ids.slice(0, at), token.id], pieces: pieces && [...pieces.slice(0, at), token.piece],
    });
  }

  /** Leave out what stands from an item on, in a branch of its own. */
  cut(index) {
    const { number, items, ids, pieces } = this.current;
    const at = items[index]?.at;
    const upTo = (list) => (at === undefined ? null : list?.slice(0, at) ?? null);
    this.#keep({ parent: number, fork: index, items: items.slice(0, index), ids: upTo(ids), pieces: upTo(pieces) });
  }

  /** Tokens are of one model: another one is asked by text. */
  forget() {
    for (const branch of this.all) Object.assign(branch, { ids: null, pieces: null, items: branch.items.map(stale) });
  }
}

/** A token of another model keeps its colour, but nothing can be chosen in its place. */
const stale = (item) => (item.typed ? { piece: item.piece, typed: true } : { piece: item.piece, plain: item.plain, stale: true });

/** Tokens over the text that they are of, and between them what the vocabulary lacks; null when they are not of it. */
function laidOver(tokens, text) {
  const items = [];
  let end = 0;
  for (const token of tokens) {
    const start = text.indexOf(token.piece, end);
    if (start < 0) return null;
    if (start > end) items.push({ piece: text.slice(end, start), typed: true, plain: null });
    items.push(token);
    end = start + token.piece.length;
  }
  return end < text.length ? [...items, { piece: text.slice(end), typed: true, plain: null }] : items;
}

/** How many characters two texts share at their beginning, and at their end. */
function common(before, text) {
  const most = Math.min(before.length, text.length);
  let same = 0;
  while (same < most && text[same] === before[same]) same += 1;
  let tail = 0;
  while (tail < most - same && text[text.length - 1 - tail] === before[before.length - 1 - tail]) tail += 1;
  return { same, tail };
}

/** How many items lie within the first characters, and how many characters those have. */
function itemsWithin(items, characters) {
  let from = 0;
  let kept = 0;
  while (from < items.length && kept + items[from].piece.length <= characters) kept += items[from++].piece.length;
  if (from > 0 && items[from - 1].typed) kept -= items[--from].piece.length; // what is typed is one item
  return [from, kept];
}

/** Where what was written begins, from a character on; the end when nothing was. */
function firstWritten(items, character) {
  let end = 0;
  for (const { piece, typed: by } of items) {
    const start = end;
    end += piece.length;
    if (!by && end > character) return Math.max(start, character);
  }
  return end;
}
