// A walk through the latent space: two or more points, the frames between them, an animation.

import { button, calm, choice, errorLine, h, picker } from "./explorer_dom.js";
import { freshness } from "./explorer_tabs.js";
import { Player } from "./views_player.js";
import { decoded, download, paintTiles } from "./views_pictures.js";
import { TileRow } from "./views_tiles.js";
import { emit, t } from "./store.js";

const FRAMES = 48;
const TILES = 16; // frames that the strip shows
const COLUMNS = 8;
const MOST = 12; // stops

export class WalkView {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {{map: object}} parts
   */
  constructor(space, { map }) {
    Object.assign(this, { space, map, kind: "linear", stops: [], example: true });
    this.#build();
    this.fresh = freshness(space, () => this.#ask(), { live: true });
    space.on("space", ({ turned }) => this.#newSpace(turned));
    space.on("past", (frame) => { if (frame) this.player.pause(); });
  }

  #build() {
    this.list = h("ol", { class: "x-stops", "aria-label": t("explorer.stops") });
    this.hint = h("p", { class: "play-note" }, t("explorer.walk_hint"));
    const add = button({ text: t("explorer.add_stop"), symbol: "plus", onclick: () => this.addPoint() });
    const kinds = choice({
      label: t("explorer.walk_kind"), value: this.kind, options: ["linear", "spherical"].map((k) => [k, t(`explorer.walk_${k}`)]),
      onchange: (kind) => { this.kind = kind; this.#ask(); this.#tell(); },
    });
    this.from = picker({ label: t("explorer.walk_from"), options: [], value: 0, hideLabel: true, onchange: () => {} });
    this.to = picker({ label: t("explorer.walk_to"), options: [], value: 0, hideLabel: true, onchange: () => {} });
    const between = button({ text: t("explorer.walk_between"), onclick: () => this.#between(Number(this.from.input.value), Number(this.to.input.value)) });
    this.clearButton = button({ text: t("explorer.walk_clear"), kind: "small quiet", onclick: () => this.#clear() });
    this.failure = errorLine();
    this.player = new Player({
      onframe: (index) => this.#mark(index), onplay: () => this.#tell(),
    });
    this.row = new TileRow({ label: t("explorer.walk_strip"), most: 56, gap: 2, onpick: (k) => { this.player.pause(); this.player.seek(this.tiles[k]); } });
    const save = button({ symbol: "download", label: t("explorer.walk_download"), kind: "small quiet", onclick: () => this.#save() });
    this.element = h("div", { class: "x-stack" },
      h("div", { class: "x-line" }, add, h("i", { class: "x-gap" }),
        h("span", { class: "x-line" }, this.from.element, h("span", {}, "→"), this.to.element, between), h("i", { class: "x-gap" }), kinds.element),
      this.hint, h("div", { class: "x-line" }, this.list, this.clearButton), this.failure.element,
      h("div", { class: "x-split" }, this.player.element, h("div", { class: "x-stack" },
        h("div", { class: "x-line" }, h("h4", { class: "x-sub" }, t("explorer.walk_strip")), save), this.row.element)));
  }

  #newSpace(turned) {
    if (turned) return; // the stops are codes: their places are found anew with the path
    this.stops = [];
    this.path = null;
    this.example = true;
    this.#classes();
    this.#list();
    if (this.seen) this.#example();
  }

  #classes() {
    const options = this.space.classNames.map((name, label) => [label, name]);
    this.from.set(options, Math.min(4, options.length - 1));
    this.to.set(options, Math.min(9, options.length - 1));
  }

  /** The panel is seen, or no more: an example walk stands there until the person makes one. */
  shown(on) {
    this.seen = on;
    if (!on) this.player.pause();
    this.#mapLayers();
    if (on && !this.stops.length && this.space.status === "ready") this.#example();
    this.fresh.shown(on);
  }

  async #example() {
    const names = this.space.classNames;
    if (names.length > 1) await this.#between(Math.min(1, names.length - 1), Math.min(3, names.length - 1), true);
  }

  // ---- stops --------------------------------------------------------------------------------------

  /** Add the chosen point, or another: {z, u, name}. */
  addPoint(stop = this.space.point) {
    if (!stop?.z) return;
    if (this.example) this.stops = [];
    this.example = false;
    if (this.stops.length >= MOST) this.stops.pop();
    this.stops.push({ z: [...stop.z], u: [...stop.u], name: stop.name ?? null });
    this.#changed();
    this.#tell();
  }

  /** Begin a new walk at a place. */
  startAt(stop) {
    this.stops = [];
    this.example = false;
    this.addPoint(stop);
  }

  /** A walk of one's own, not the example, is something done. */
  #tell() {
    if (!this.example && this.stops.length >= 2) emit("tried", { what: "walk", kind: this.kind, stops: this.stops.length });
  }

  async #between(a, b, example = false) {
    try {
      const ends = [];
      for (const label of [a, b]) {
        const index = this.space.cloud.middleOf(label);
        const answer = index < 0 ? null : await this.space.ask("code", { index, ...this.space.planeArgs() });
        if (!answer) return;
        ends.push({ z: answer.values.z, u: this.space.project(answer.values.z), name: this.space.className(label) });
      }
      this.stops = ends;
      this.example = example;
      this.#changed();
      this.#tell();
    } catch (error) {
      this.failure.show(error);
    }
  }

  #clear() {
    this.stops = [];
    this.example = false;
    this.player.pause();
    this.#changed();
  }

  #changed() {
    this.#list();
    this.#mapLayers();
    if (this.stops.length >= 2) this.#ask().then(() => { if (this.seen && !calm()) this.player.play(); });
    else this.path = null;
  }

  #list() {
    this.list.replaceChildren(...this.stops.map((stop, i) => h("li", {},
      h("b", {}, String(i + 1)), stop.name ? h("span", {}, stop.name) : h("span", { class: "play-number" }, stop.u.map((v) => v.toFixed(2).replace("-", "−")).join(", ")),
      button({ symbol: "close", kind: "small quiet", label: t("explorer.stop_remove", { index: i + 1 }), onclick: () => this.#remove(i) }))));
    this.hint.hidden = this.stops.length >= 2;
    this.clearButton.hidden = !this.stops.length;
    this.element.classList.toggle("few", this.stops.length < 2);
  }

  #remove(i) {
    this.stops.splice(i, 1);
    this.example = false;
    this.#changed();
  }

  // ---- frames -------------------------------------------------------------------------------------

  async #ask() {
    if (this.stops.length < 2) return;
    try {
      const args = { points: this.stops.map((s) => s.z), kind: this.kind, frames: FRAMES, ...this.space.planeArgs() };
      const answer = await this.space.ask("walk", args, "walk");
      if (!answer) return;
      this.failure.clear();
      this.path = answer.values.us.map(([x, y]) => [x, this.space.dim === 1 ? 0 : y]);
      this.stops.forEach((stop) => { stop.u = this.space.project(stop.z); });
      this.#list();
      this.tiles = Array.from({ length: TILES }, (_, k) => Math.round((k * (FRAMES - 1)) / (TILES - 1)));
      this.strip = answer.items.strip;
      await this.row.show(this.strip, { indices: this.tiles, columns: COLUMNS });
      await this.player.load(this.strip, FRAMES);
      this.#mapLayers();
    } catch (error) {
      this.failure.show(error);
    }
  }

  #mapLayers() {
    const { overlay } = this.map;
    const on = this.seen && this.stops.length > 0;
    overlay.set("stops", on ? { kind: "dots", us: this.stops.map((s) => s.u), radius: 9, labels: this.stops.map((_, i) => String(i + 1)) } : null);
    overlay.set("path", on && this.path && this.stops.length > 1 ? { kind: "path", us: this.path } : null);
    if (!on || this.stops.length < 2) overlay.set("walker", null);
  }

  #mark(index) {
    if (this.seen && this.path) this.map.overlay.set("walker", { kind: "dots", us: [this.path[index]], radius: 5 });
  }

  async #save() {
    if (!this.strip) return;
    const canvas = document.createElement("canvas");
    const side = 2 * this.strip.tile[1];
    paintTiles(canvas, await decoded(this.strip), this.strip, { side, gap: 4, indices: this.tiles, columns: TILES });
    download(canvas, "walk.png");
    emit("tried", { what: "download" });
  }
}
