// A walk through the noise: two or more chosen samples, the pictures between them, an animation.

import { button, calm, choice, errorLine, h } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { Player } from "./views_player.js";
import { decoded, download, paintTiles } from "./views_pictures.js";
import { TileRow } from "./views_tiles.js";
import { thumbnail } from "./dcgan_tiles.js";
import { emit, t } from "./store.js";

const FRAMES = 48;
const TILES = 16; // frames that the strip shows
const COLUMNS = 8;
const MOST = 8; // stops
const EXAMPLE = [0, 9, 18, 27]; // places of the grid, one stop each

export class WalkView {
  /** @param {import("./dcgan_sampler.js").Sampler} sampler @param {{grid: import("./dcgan_grid.js").SampleGrid}} parts */
  constructor(sampler, { grid }) {
    Object.assign(this, { sampler, grid, kind: "spherical", stops: [], example: true, seen: false });
    this.#build();
    sampler.on("space", () => this.#clear(true));
    sampler.on("pick", (sample) => { if (this.seen) this.add(sample); });
    sampler.on("drawn", () => { if (this.seen && !this.stops.length && this.example) this.#example(); });
    sampler.on("weights", ({ live }) => { if (!live && this.seen) this.#ask(); });
    sampler.on("past", (past) => { if (past) this.player.pause(); });
  }

  #build() {
    this.list = h("ol", { class: "dc-stops", "aria-label": t("dcgan.stops") });
    const kinds = choice({
      label: t("dcgan.walk_kind"), value: this.kind, options: ["spherical", "linear"].map((k) => [k, t(`dcgan.walk_${k}`)]),
      onchange: (kind) => { this.kind = kind; this.#ask(); },
    });
    kinds.element.title = t("dcgan.walk_why");
    this.clearButton = button({ text: t("dcgan.clear"), kind: "small quiet", onclick: () => this.#clear() });
    this.failure = errorLine();
    this.player = new Player({ onframe: () => {}, onplay: () => this.#tell() });
    this.row = new TileRow({ label: t("dcgan.walk_strip"), most: 60, gap: 2, onpick: (k) => { this.player.pause(); this.player.seek(this.tiles[k]); } });
    const save = button({ symbol: "download", label: t("dcgan.walk_download"), kind: "small quiet", onclick: () => this.#save() });
    this.path = h("div", { class: "x-split" }, this.player.element, h("div", { class: "x-stack" },
      h("div", { class: "x-line" }, h("h4", { class: "x-sub" }, t("dcgan.walk_strip")), save), this.row.element,
      h("p", { class: "play-note" }, t("dcgan.walk_why"))));
    this.element = h("div", { class: "x-stack" },
      h("p", { class: "play-note" }, t("dcgan.walk_hint")),
      h("div", { class: "x-line dc-stops-line", dataset: { drop: "walk" } }, this.list, h("i", { class: "dc-spacer" }), this.clearButton, kinds.element),
      this.failure.element, this.path);
  }

  shown(on) {
    this.seen = on;
    if (!on) return this.player.pause();
    if (!this.stops.length && this.example) this.#example();
  }

  /** Add a sample {z, label, picture, name}; the first one takes the place of the example. */
  add(sample) {
    if (this.example) this.stops = [];
    this.example = false;
    if (this.stops.length >= MOST) this.stops.shift();
    this.stops.push(sample);
    this.#changed();
    this.#tell();
  }

  #example() {
    const zs = this.sampler.drawn?.zs;
    if (!zs || !this.grid.shown || this.sampler.status !== "ready") return;
    this.stops = EXAMPLE.map((i) => ({ z: zs[i], label: this.sampler.drawn.labels?.[i] ?? null, picture: this.grid.picture(i), name: t("dcgan.sample_name", { n: i + 1 }) }));
    this.#changed();
  }

  #clear(example = false) {
    this.stops = [];
    this.example = example;
    this.player.pause();
    this.#changed();
    if (example && this.seen) this.#example();
  }

  #changed() {
    fill(this.list, this.stops.map((stop, i) => h("li", {}, h("b", {}, String(i + 1)), thumbnail(stop.picture, 36, stop.name),
      button({ symbol: "close", kind: "small quiet", label: t("dcgan.stop_remove", { n: i + 1 }), onclick: () => this.#remove(i) }))));
    this.clearButton.hidden = !this.stops.length;
    this.path.classList.toggle("dc-faded", this.stops.length < 2);
    if (this.stops.length >= 2) this.#ask().then(() => { if (this.seen && !calm()) this.player.play(); });
    else this.player.pause();
  }

  #remove(i) {
    this.stops.splice(i, 1);
    this.example = false;
    this.#changed();
  }

  /** A walk of one's own, not the example, is something done. */
  #tell() {
    if (!this.example && this.stops.length >= 2) emit("tried", { what: "walk", kind: this.kind, stops: this.stops.length });
  }

  async #ask() {
    if (this.stops.length < 2) return;
    try {
      const args = { zs: this.stops.map((s) => s.z), kind: this.kind, frames: FRAMES, ...this.sampler.labelArgs(this.stops[0].label) };
      const answer = await this.sampler.ask("walk", args, "walk");
      if (!answer) return;
      this.failure.clear();
      this.zs = answer.values.zs;
      this.tiles = Array.from({ length: TILES }, (_, k) => Math.round((k * (FRAMES - 1)) / (TILES - 1)));
      this.strip = answer.items.strip;
      await this.row.show(this.strip, { indices: this.tiles, columns: COLUMNS });
      await this.player.load(this.strip, FRAMES);
    } catch (error) {
      this.failure.show(error);
    }
  }

  async #save() {
    if (!this.strip) return;
    const canvas = document.createElement("canvas");
    paintTiles(canvas, await decoded(this.strip), this.strip, { side: 2 * this.strip.tile[1], gap: 4, indices: this.tiles, columns: TILES });
    download(canvas, "walk.png");
    emit("tried", { what: "download" });
  }
}
