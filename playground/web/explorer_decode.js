// The decoding of the chosen point: at once from the decodings at hand, then exactly.

import { afterPaint, debounce, paced } from "./explorer_dom.js";
import { decoded } from "./views_pictures.js";

const NEIGHBOURS = 8;
const KEY_MS = 60;
const LIVE_MS = 2000; // how often a live run is asked for a point beyond its atlas

/**
 * Keeps the point's picture. Listeners get {image, exact, alt, answer}: first blended from the
 * atlas (exact: false), then as the server decodes it.
 */
export class PointDecoder {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {import("./map_atlas.js").Atlas} atlas
   * @param {HTMLElement} root gets data-point-ms: from the click to the painted exact picture
   */
  constructor(space, atlas, root) {
    Object.assign(this, { space, atlas, root });
    this.listeners = new Set();
    this.latest = null;
    const later = debounce(() => this.#exact(), KEY_MS);
    space.on("space", () => this.#moved(later));
    space.on("point", () => this.#moved(later));
    space.on("weights", ({ live }) => { if (!live) this.#exact(); });
    space.on("past", (frame) => { if (!frame) this.#exact(); });
    const sometimes = paced(() => { if (space.live) this.#exact(); }, LIVE_MS);
    atlas.onChange(() => {
      if (!space.live && !space.past) return;
      if (!this.#blend() && space.live) sometimes();
    });
  }

  onPicture(fn) {
    this.listeners.add(fn);
    if (this.latest) fn(this.latest);
  }

  #moved(later) {
    if (!this.space.point) return;
    if (!this.space.point.offPlane) this.#blend(); // else the atlas is of another plane
    if (["key", "slider"].includes(this.space.point.from)) later();
    else {
      later.cancel();
      this.#exact();
    }
  }

  /** Show what the atlas has for the point, if it has: right to the eye, and never a request. */
  #blend() {
    const { point, dim } = this.space;
    if (!point || this.space.status !== "ready") return false;
    this.canvas ??= document.createElement("canvas");
    const [x, y] = point.u;
    const drawn = this.atlas.draw(this.canvas, x, dim === 1 ? 0 : y);
    if (drawn) {
      this.#tell({ image: this.canvas, exact: false, alt: null, answer: this.latest?.answer ?? null });
    } else if (this.space.past) this.#tell({ image: null, exact: false, blank: true, answer: null });
    return drawn;
  }

  async #exact() {
    const { space } = this;
    const { point } = space;
    if (!point || space.past || space.status !== "ready") return;
    try {
      const args = { z: point.z, neighbours: NEIGHBOURS, ...space.planeArgs() };
      const answer = await space.ask("point", args, "point");
      if (!answer) return;
      const image = await decoded(answer.items.picture);
      if (space.point !== point) return;
      this.#tell({ image, exact: true, alt: answer.items.picture.alt, answer });
      this.#measure(point);
      if (!["start", "link"].includes(point.from) && !space.live) {
        space.announcePoint(answer.items.neighbours?.captions?.slice(0, 3) ?? []);
      }
    } catch (error) {
      this.#tell({ image: null, exact: false, error, answer: null });
    }
  }

  #tell(picture) {
    this.latest = picture;
    for (const fn of this.listeners) fn(picture);
  }

  #measure({ time, from }) {
    if (from !== "click" || !time || this.measured === time) return;
    this.measured = time;
    afterPaint(() => {
      const now = performance.now();
      this.root.dataset.pointMs = (now - time).toFixed(1);
      performance.measure("explorer-point", { start: time, end: now });
    });
  }
}
