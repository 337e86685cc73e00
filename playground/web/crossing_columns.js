// The pictures beside the losses: columns of the sheet "translations", and of a saved model the
// exact answers about the picture that is looked at.

import { cut } from "./dcgan_tiles.js";
import { WAYS } from "./crossing_terms.js";
import { decoded } from "./views_pictures.js";
import { t } from "./store.js";

export const OWN = -1; // the picture that is chosen on the stage, where it is not one of the sheet

const HELD_OUT = 8; // columns of held-out pictures that a sheet has
const ROWS = ["a", "a2b", "a_back", "b", "b2a", "b_back", "same_b", "same_a"];
const MOST_PX = 128; // a side: losses are looked at in small

/** What the items of the view "translate" are called here. */
const EXACT = {
  a2b: { input: "a", output: "a2b", cycle: "a_back", identity: "same_a" },
  b2a: { input: "b", output: "b2a", cycle: "b_back", identity: "same_b" },
};

export class Columns {
  /** @param {import("./crossing_state.js").Crossing} lab */
  constructor(lab) {
    Object.assign(this, { lab, sheet: null, image: null, own: null, answers: new Map() });
    lab.on("space", () => { this.own = null; this.answers.clear(); });
    lab.on("weights", ({ live }) => { if (!live) this.answers.clear(); });
    lab.on("chosen", () => { this.own = null; this.answers.delete(OWN); });
  }

  async take(sheet) {
    if (this.sheet === sheet) return;
    const image = await decoded(sheet);
    Object.assign(this, { sheet, image });
  }

  /** How many held-out pictures there are. */
  get count() {
    return Math.min(this.sheet?.columns ?? HELD_OUT, HELD_OUT);
  }

  /** A run that trains draws the person's picture in front of the others. */
  get #inSheet() {
    return this.sheet.columns > HELD_OUT;
  }

  get hasOwn() {
    return this.#inSheet || Boolean(this.own);
  }

  /** The pictures of a column by name; null where they are not known yet. */
  tiles(column) {
    if (column === OWN && !this.#inSheet) return this.own;
    const at = this.#inSheet ? column + 1 : column;
    const names = ROWS.slice(0, this.sheet.rows);
    return Object.fromEntries(names.map((name, i) => [name, cut(this.image, this.sheet, i * this.sheet.columns + at)]));
  }

  /** What there is to choose from. */
  all() {
    const [a, b] = this.lab.domains;
    const columns = Array.from({ length: this.count }, (_, i) => i);
    return [...(this.hasOwn ? [OWN] : []), ...columns].map((column) => {
      const tiles = this.tiles(column);
      return { column, pictures: [tiles.a, tiles.b], name: column === OWN ? t("cyclegan.column_own") : t("cyclegan.column", { n: column + 1, a, b }) };
    });
  }

  /** Ask a saved model for all that becomes of a picture: without the losses of a JPEG, and with D's verdicts. */
  async exact(column) {
    if (this.answers.has(column)) return this.answers.get(column);
    const picture = column === OWN ? this.lab.pictureArgs() : { index: column, split: "test" };
    const found = { tiles: {}, judged: {}, patches: {}, error: null };
    for (const way of WAYS) {
      try {
        const answer = await this.lab.ask("translate", { ...picture, direction: way });
        if (!answer) return null;
        await this.#read(answer, way, found);
      } catch (error) {
        found.error = error; // weights that were imported may know one direction only
      }
    }
    this.answers.set(column, found);
    if (column === OWN && found.tiles.a && found.tiles.b) this.own = found.tiles;
    return found;
  }

  async #read({ items, values }, way, found) {
    for (const [item, name] of Object.entries(EXACT[way])) {
      if (items[item]) found.tiles[name] = small(await decoded(items[item]));
    }
    found.judged[way] = values;
    found.patches[way] = items.patches ? await decoded(items.patches) : null;
  }
}

/** A picture on a canvas, at most so large. */
function small(image) {
  const scale = Math.min(1, MOST_PX / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: Math.max(1, Math.round(image.naturalWidth * scale)), height: Math.max(1, Math.round(image.naturalHeight * scale)) });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
