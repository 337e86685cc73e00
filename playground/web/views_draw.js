// One's own drawing or picture: prepared, encoded, reconstructed, placed on the map.

import { button, errorLine, h, paced, press, slider } from "./explorer_dom.js";
import { freshness } from "./explorer_tabs.js";
import { Pad } from "./pad.js";
import { picturesOf, readImage } from "./pad_files.js";
import { PictureView } from "./views_pictures.js";
import { TileRow } from "./views_tiles.js";
import { shown } from "./decode.js";
import { announce, emit, t } from "./store.js";

const ENCODE_MS = 120;
const PICTURE = 112;
const COLORS = ["#ffffff", "#f2c14e", "#e4572e", "#4c9be8", "#5fad56", "#9d5fc1"];

export class DrawView {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {{map: object, walk: object, choose: (tab: string) => void}} parts
   */
  constructor(space, { map, walk, choose }) {
    Object.assign(this, { space, map, walk, choose, result: null });
    this.soon = paced(() => this.#encode(), ENCODE_MS);
    this.#build();
    this.fresh = freshness(space, () => this.#encode(), { live: true });
    space.on("space", ({ turned }) => { if (!turned) this.#shape(); });
  }

  #build() {
    this.pad = new Pad({ label: t("explorer.pad_label"), onchange: () => { this.touched = true; this.results.setAttribute("aria-busy", "true"); this.soon(); } });
    const tool = (symbol, key, fn) => button({ symbol, text: t(`explorer.${key}`), onclick: fn });
    const width = slider({
      label: t("explorer.pad_width"), min: 8, max: 40, step: 2, value: this.pad.width, format: (v) => `${v} px`,
      oninput: (v) => { this.pad.width = v; },
    });
    this.files = h("input", { type: "file", accept: "image/*", hidden: true, onchange: () => this.#takeFiles(this.files.files) });
    this.colors = h("div", { class: "x-line x-colors", role: "group", "aria-label": t("explorer.pad_color"), hidden: true },
      COLORS.map((color, i) => h("button", {
        type: "button", "aria-label": t("explorer.pad_color_n", { n: i + 1 }), "aria-pressed": String(i === 0), style: { background: color },
        onclick: (event) => { this.pad.color = color; [...this.colors.children].forEach((c) => press(c, c === event.currentTarget)); },
      })));
    const left = h("div", { class: "x-padside" }, this.pad.canvas, this.colors,
      h("div", { class: "x-line" }, tool("undo", "pad_undo", () => this.pad.undo()), tool("clear", "pad_clear", () => this.pad.clear()),
        tool("upload", "pad_upload", () => this.files.click()), this.files), width.element);
    this.element = h("div", { class: "x-split x-draw" }, left, (this.results = this.#results()));
    picturesOf(this.element, (files) => this.#takeFiles(files));
  }

  #results() {
    this.hint = h("p", { class: "play-note" }, t("explorer.draw_hint"));
    this.prepared = new PictureView({ size: PICTURE, label: t("explorer.prepared") });
    this.rebuilt = new PictureView({ size: PICTURE, label: t("explorer.reconstruction") });
    this.facts = h("dl", { class: "x-facts" });
    this.row = new TileRow({ label: t("explorer.neighbours"), most: 56 });
    this.neighbours = h("div", { hidden: true }, h("h4", { class: "x-sub" }, t("explorer.neighbours")), this.row.element);
    this.failure = errorLine();
    const act = (key, fn) => button({ text: t(`explorer.${key}`), disabled: true, onclick: fn });
    this.actions = [
      act("draw_move", () => this.#move()), act("draw_walk", () => this.#startWalk()),
    ];
    const figure = (view, key) => h("figure", { class: "x-figure" }, view.element, h("figcaption", {}, t(`explorer.${key}`)));
    return h("div", { class: "x-stack" }, this.hint, this.failure.element,
      h("div", { class: "x-line x-top" }, figure(this.prepared, "prepared"), h("span", { class: "x-arrow", "aria-hidden": "true" }, "→"),
        figure(this.rebuilt, "reconstruction"), this.facts),
      this.neighbours, h("div", { class: "x-line" }, this.actions));
  }

  #shape() {
    this.prepared.reshape(this.space.shape);
    this.rebuilt.reshape(this.space.shape);
    this.colors.hidden = this.space.shape[0] !== 3;
    this.#forget();
  }

  shown(on) {
    this.seen = on;
    this.#mark();
    this.fresh.shown(on);
  }

  // ---- encoding -----------------------------------------------------------------------------------

  async #takeFiles(files) {
    this.failure.clear();
    try {
      this.pad.place(await readImage(files[0]));
      emit("tried", { what: "draw", by: "upload" });
    } catch (error) {
      this.failure.show(error);
    } finally {
      this.files.value = "";
    }
  }

  async #encode() {
    if (this.pad.empty) {
      this.#forget();
      return;
    }
    if (this.space.status !== "ready") return;
    try {
      const args = { picture: this.pad.read(), kind: this.pad.photo ? "photo" : "drawing", ...this.space.planeArgs() };
      const answer = await this.space.ask("encode", args, "encode");
      if (!answer || this.pad.empty) return;
      this.failure.clear();
      this.#show(answer);
      this.results.removeAttribute("aria-busy");
    } catch (error) {
      this.failure.show(error);
      this.results.removeAttribute("aria-busy");
    }
  }

  #show({ items, values }) {
    this.result = { ...values, u: [values.u[0], this.space.dim === 1 ? 0 : values.u[1]] };
    this.hint.hidden = true;
    this.prepared.show(items.prepared);
    this.rebuilt.show(items.reconstruction);
    this.neighbours.hidden = !items.neighbours;
    if (items.neighbours) this.row.show(items.neighbours, { label: t("explorer.neighbours") });
    this.#tellNumbers(values);
    this.actions.forEach((action) => { action.disabled = false; });
    this.#mark();
    if (this.pad.active || !this.touched) return;
    this.touched = false;
    emit("tried", { what: "draw" });
    announce(t("explorer.said_drawing", { place: this.result.u.map((v) => v.toFixed(2)).join(", "), name: values.nearest?.name ?? "" }));
  }

  #tellNumbers({ elbo_nats: elbo, reconstruction_nats: reconstruction, kl_nats: kl, nearest }) {
    const facts = [
      elbo === null || elbo === undefined ? null : ["fact_elbo", `${shown(elbo)} nats`],
      ["fact_reconstruction", `${shown(reconstruction)} nats`],
      kl === null || kl === undefined ? null : ["fact_kl", `${shown(kl)} nats`],
      nearest ? ["fact_nearest", String(nearest.name)] : null,
    ].filter(Boolean);
    this.facts.replaceChildren(...facts.flatMap(([key, value]) => [
      h("dt", { title: t(`explorer.${key}_help`) }, t(`explorer.${key}`)), h("dd", { class: "play-number" }, value),
    ]));
  }

  #forget() {
    this.result = null;
    this.results.removeAttribute("aria-busy");
    this.hint.hidden = false;
    this.prepared.clear();
    this.rebuilt.clear();
    this.facts.replaceChildren();
    this.neighbours.hidden = true;
    this.actions.forEach((action) => { action.disabled = true; });
    this.#mark();
  }

  #mark() {
    const { result } = this;
    const layers = result && this.seen
      ? [result.ellipse ? { kind: "ellipse", ...result.ellipse } : null, { kind: "marker", u: result.u, turn: 45 }].filter(Boolean) : null;
    this.map.overlay.set("drawing", layers);
  }

  #move() {
    if (!this.result) return;
    this.space.moveTo({ z: this.result.z }, "drawing");
    this.choose("point");
  }

  #startWalk() {
    if (!this.result) return;
    this.walk.startAt({ z: this.result.z, u: this.result.u, name: t("explorer.your_drawing") });
    this.choose("walk");
  }
}
