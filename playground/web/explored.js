// What both explorers stand on: which source is explored, and the way to the server.

import { Listened } from "./listened.js";
import { explore, state } from "./store.js";

const BUSY = 429; // a run is just ending, or being put away: the answer comes from its checkpoint soon
const RETRY_MS = [250, 500, 1000, 2000];

/** Something that is explored: it can be listened to, and asks for views of its source. */
export class Explored extends Listened {
  #lanes;

  /** @param {string} lanes begins the names of the lanes in which it asks */
  constructor(lanes) {
    super();
    this.#lanes = lanes;
    this.generation = 0; // counts sources: an answer about an older one is dropped
    this.source = undefined; // the one that this generation is about; none before the first
  }

  /** Ask for a view; resolves to null when another source has been begun meanwhile. */
  async ask(view, args, latest) {
    if (JSON.stringify(this.source) !== JSON.stringify(state.source)) return null; // about to begin anew
    const asked = this.generation;
    for (let turn = 0; ; turn += 1) {
      try {
        const answer = await explore(view, args, latest ? { latest: `${this.#lanes}-${latest}` } : {});
        return asked === this.generation ? answer : null;
      } catch (error) {
        if (asked !== this.generation) return null;
        if (error.status !== BUSY || turn >= RETRY_MS.length) throw error;
        await new Promise((resolve) => { setTimeout(resolve, RETRY_MS[turn]); });
      }
    }
  }
}
