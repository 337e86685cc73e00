// The card that follows the pointer: decoded picture, coordinates, nearest class.

import { shown } from "./decode.js";
import { afterThisFrame, h, setText } from "./explorer_dom.js";
import { tileSize } from "./views_pictures.js";
import { t } from "./store.js";

const GAP = 18; // pixels between the pointer and the card
const PICTURE = 84;

/** One card in `host`, which the map's plot area fills from (left, top). Never takes the pointer. */
export class HoverCard {
  /**
   * @param {HTMLElement} host positioned element in whose pixels the card is placed
   * @param {import("./explorer_space.js").Space} space
   * @param {import("./map_atlas.js").Atlas} atlas
   */
  constructor(host, space, atlas) {
    this.space = space;
    this.atlas = atlas;
    this.host = host;
    this.canvas = h("canvas", { class: "x-picture" });
    this.place = h("span", { class: "play-number" });
    this.dot = h("i", { class: "x-dot" });
    this.name = h("span", {});
    this.element = h("div", { class: "x-hover", "aria-hidden": "true" }, this.canvas,
      h("div", { class: "x-hover-place" }, this.place), h("div", { class: "x-hover-class" }, this.dot, this.name));
    host.append(this.element);
    this.asked = false;
    atlas.onChange(() => { if (this.last && this.visible) this.#draw(); });
  }

  /** Show the card for a pointer at pixels (px, py) of the host, map coordinates [x, y]. */
  show(px, py, u, { color, hidden, time }) {
    this.last = { px, py, u, color, hidden, time };
    this.visible = true;
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (this.visible) this.#draw();
    });
  }

  hide() {
    this.visible = false;
    this.element.classList.remove("shown");
  }

  #draw() {
    const { px, py, u, color, hidden, time } = this.last;
    const size = tileSize(this.space.shape, PICTURE);
    this.canvas.style.width = this.canvas.style.height = `${size}px`;
    const decoded = this.atlas.draw(this.canvas, u[0], this.space.dim === 1 ? 0 : u[1]);
    this.element.classList.toggle("blank", !decoded);
    setText(this.place, this.space.dim === 1 ? shown(u[0], 2) : `${u[0].toFixed(2)}, ${u[1].toFixed(2)}`.replaceAll("-", "−"));
    this.#nameNearest(u, color, hidden);
    this.#move(px, py);
    this.element.classList.add("shown");
    if (time) this.#measure(time);
  }

  #nameNearest(u, color, hidden) {
    const { cloud } = this.space;
    const i = cloud.nearest(u[0], u[1], hidden);
    this.dot.style.background = i < 0 ? "none" : color(cloud.labels[i]);
    setText(this.name, i < 0 ? "" : t("explorer.near", { name: this.space.className(cloud.labels[i]) }));
  }

  #move(px, py) {
    const { offsetWidth: w, offsetHeight: hgt } = this.element;
    const right = px + GAP + w <= this.host.clientWidth + 8;
    const x = right ? px + GAP : Math.max(px - GAP - w, 0);
    const y = Math.min(Math.max(py - hgt / 2, 0), Math.max(this.host.clientHeight - hgt, 0));
    this.element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  #measure(time) {
    this.last.time = 0;
    afterThisFrame(() => { this.host.dataset.hoverMs = (performance.now() - time).toFixed(1); });
  }
}
