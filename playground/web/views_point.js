// The chosen point: its picture, its coordinates, the training images whose codes lie nearest.

import { button, errorLine, h, numberField, setText } from "./explorer_dom.js";
import { subscript } from "./map.js";
import { PictureView } from "./views_pictures.js";
import { TileRow } from "./views_tiles.js";
import { shown } from "./decode.js";
import { t } from "./store.js";

const PICTURE = 196;

/** A small or large picture of the chosen point that any panel may show. */
export class PointPicture {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {import("./explorer_decode.js").PointDecoder} decoder
   */
  constructor(space, decoder, size) {
    this.view = new PictureView({ size, label: t("explorer.point_picture"), shape: space.shape });
    this.element = this.view.element;
    space.on("space", () => this.view.reshape(space.shape));
    decoder.onPicture(({ image, alt, blank }) => {
      if (blank) this.view.clear();
      if (!image) return;
      const place = space.point.u.map((v) => shown(v, 3)).join(", ");
      this.view.draw(image, t("explorer.point_alt", { what: alt ?? t("explorer.point_picture"), place }));
    });
  }
}

/** The chosen point beside the map, whatever panel is open: what a click shows at once. */
export class PointCard {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {{decoder: object, addStop: () => void}} parts
   */
  constructor(space, { decoder, addStop }) {
    this.space = space;
    const picture = new PointPicture(space, decoder, 84);
    this.place = h("p", { class: "x-place play-number" });
    this.near = h("p", { class: "play-note" });
    this.element = h("section", { class: "play-card x-point", "aria-label": t("explorer.tab_point") }, picture.element,
      h("div", { class: "x-stack" }, this.place, this.near, button({ text: t("explorer.add_stop"), symbol: "plus", onclick: addStop })));
    space.on("space", () => this.#place());
    space.on("point", () => this.#place());
    decoder.onPicture(({ exact, answer }) => {
      const nearest = answer?.values.nearest;
      if (exact && nearest) setText(this.near, t("explorer.near_code", { name: nearest.name ?? nearest.label }));
    });
  }

  #place() {
    const { point } = this.space;
    if (!point) return;
    const names = this.space.axisNames().slice(0, this.space.dim === 1 ? 1 : 2);
    const short = (name, i) => (/^z\d+$/.test(name) ? subscript(name) : t("explorer.axis_short", { n: i + 1 }));
    this.place.replaceChildren(...names.map((name, i) =>
      h("span", {}, h("i", {}, short(name, i)), ` ${point.u[i].toFixed(2).replace("-", "−")}`)));
  }
}

export class PointView {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {{map: object, decoder: object}} parts
   */
  constructor(space, { map, decoder }) {
    Object.assign(this, { space, map });
    this.#build(decoder);
    space.on("space", () => this.#fields());
    space.on("point", () => this.#place());
    space.on("past", () => this.#pastNote());
    space.on("weights", ({ live }) => { if (live) this.#unmark(); });
    decoder.onPicture((picture) => this.#show(picture));
  }

  #build(decoder) {
    this.picture = new PointPicture(this.space, decoder, PICTURE);
    this.coordinates = h("div", { class: "x-fields" });
    this.nearest = h("p", { class: "x-fact" });
    this.spread = h("p", { class: "play-note" });
    this.row = new TileRow({ label: t("explorer.neighbours"), most: 56, onpick: null });
    this.failure = errorLine();
    this.note = h("p", { class: "play-note" });
    this.element = h("div", { class: "x-split" },
      h("figure", { class: "x-figure" }, this.picture.element),
      h("div", { class: "x-stack" },
        this.coordinates, this.note, this.failure.element,
        h("h4", { class: "x-sub" }, t("explorer.neighbours")), this.row.element, this.nearest, this.spread));
  }

  /** Number fields for the map coordinates: the other way to choose a point. */
  #fields() {
    const names = this.space.axisNames().slice(0, this.space.dim === 1 ? 1 : 2);
    this.inputs = names.map((name, i) => numberField({
      label: subscript(name), value: "", step: 0.1, onchange: (value) => {
        const u = [...this.space.point.u];
        u[i] = value;
        this.space.moveTo({ u }, "number");
      },
    }));
    this.coordinates.replaceChildren(...this.inputs.map((input) => input.element));
    this.#place();
  }

  #place() {
    if (!this.space.point) return;
    this.inputs?.forEach((input, i) => input.set(Number(this.space.point.u[i].toFixed(3))));
  }

  /** The nearest code has moved with the weights: until it is asked for again, nothing is marked. */
  #unmark() {
    this.map.overlay.set("near", null);
    this.map.overlay.set("nearest", null);
  }

  #pastNote() {
    if (this.space.past) this.#unmark();
    setText(this.note, this.space.past ? t("explorer.point_past", { step: this.space.past.step }) : "");
    this.element.classList.toggle("past", Boolean(this.space.past));
  }

  #show({ exact, answer, error }) {
    if (error) {
      this.failure.show(error);
      return;
    }
    if (!exact) return;
    this.failure.clear();
    const { nearest } = answer.values;
    if (answer.items.neighbours) this.row.show(answer.items.neighbours, { label: t("explorer.neighbours") });
    if (!nearest) return;
    setText(this.nearest, t("explorer.nearest", { name: nearest.name ?? nearest.label, distance: shown(nearest.distance, 3) }));
    const { ellipse } = nearest;
    setText(this.spread, ellipse
      ? t("explorer.ellipse", { sds: nearest.sd?.length <= 2 ? nearest.sd.map((v) => shown(v, 2)).join(" × ") : ellipse.radii.map((v) => shown(v, 2)).join(" × ") })
      : t("explorer.no_ellipse"));
    const asked = performance.now() - (this.space.point.time ?? -1e4) < 1000;
    if (this.space.live && !asked) return; // it moves with the weights: only what was just asked for is marked
    this.map.overlay.set("near", ellipse ? { kind: "ellipse", ...ellipse } : null);
    this.map.overlay.set("nearest", { kind: "dots", us: [nearest.u], radius: 2.6 });
  }
}
