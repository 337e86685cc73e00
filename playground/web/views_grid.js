// The decoding grid: n by n decodings over a part of the map, beside it.

import { button, choice, debounce, errorLine, h, numberField, paced, slider } from "./explorer_dom.js";
import { decoded, download } from "./views_pictures.js";
import { emit, t } from "./store.js";

const LIVE_MS = 1500; // how often a grid that the run does not draw by itself is asked for
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class GridView {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {() => import("./map.js").LatentMap} map
   */
  constructor(space, map) {
    Object.assign(this, { space, map, n: 15, mode: "all", extent: null });
    this.lookSoon = debounce(() => space.emit("look"), 200);
    this.#build();
    this.soon = debounce(() => this.refresh(), 120);
    this.liveRefresh = paced(() => this.refresh(), LIVE_MS);
    space.on("space", () => { this.#setMode("all", false); this.refresh(); });
    space.on("base", this.soon);
    space.on("weights", ({ live }) => {
      if (!live) this.refresh();
      else if (this.mode === "quantiles" || space.dim > 2) this.liveRefresh();
    });
    space.on("view", () => { if (this.mode === "view") { this.soon(); this.lookSoon(); } });
    space.on("point", () => this.#markPoint());
    space.on("past", (frame) => this.#takePast(frame));
  }

  // ---- parts --------------------------------------------------------------------------------------

  #build() {
    this.canvas = h("canvas", { class: "x-picture x-grid-canvas", role: "img", "aria-label": t("explorer.grid_title") });
    this.cell = h("i", { class: "x-cell" });
    this.hoverCell = h("i", { class: "x-cell hover" });
    this.stage = h("div", {
      class: "x-grid-stage loading", tabindex: 0, role: "application", "aria-label": t("explorer.grid_label"),
      onclick: (event) => this.#click(event), onpointermove: (event) => this.#hover(event), onpointerleave: () => this.#leave(),
      onkeydown: (event) => this.#key(event),
    }, this.canvas, this.cell, this.hoverCell);
    this.modes = choice({
      label: t("explorer.grid_extent"), value: this.mode, onchange: (mode) => this.#setMode(mode),
      options: ["all", "view", "quantiles", "numbers"].map((key) => [key, t(`explorer.grid_${key}`)]),
    });
    this.size = slider({
      label: t("explorer.grid_n"), min: 5, max: 25, step: 1, value: this.n, format: (n) => `${n} × ${n}`,
      oninput: (n) => { this.n = n; this.sized = true; this.soon(); this.lookSoon(); emit("tried", { what: "grid" }); },
    });
    this.numbers = ["x0", "x1", "y0", "y1"].map((key, i) =>
      numberField({ label: t(`explorer.grid_${key}`), value: "", onchange: (v) => this.#typed(i, v) }));
    this.fields = h("div", { class: "x-fields", hidden: true }, this.numbers.map((n) => n.element));
    this.failure = errorLine();
    const save = button({ symbol: "download", label: t("explorer.grid_download"), kind: "small quiet", onclick: () => download(this.canvas, "grid.png") });
    this.element = h("section", { class: "play-card x-grid", "aria-label": t("explorer.grid_title") },
      h("div", { class: "x-head" }, h("h3", { class: "play-title" }, t("explorer.grid_title")), h("div", { class: "x-tools" }, save)),
      this.stage, this.failure.element, this.size.element, this.modes.element, this.fields);
  }

  #setMode(mode, byPerson = true) {
    this.mode = mode;
    this.modes.set(mode);
    this.fields.hidden = mode !== "numbers";
    if (mode === "numbers" && !this.extent) this.extent = [...(this.shown?.extent ?? [-3, 3, -3, 3])];
    if (mode === "numbers") this.#fillNumbers();
    if (!byPerson) return;
    emit("tried", { what: "grid", mode });
    this.refresh();
    this.lookSoon();
  }

  /** Take a frame dragged on the map. */
  setFrame(extent) {
    this.extent = extent.map((v) => Number(v.toFixed(3)));
    this.#setMode("numbers");
  }

  #fillNumbers() {
    this.numbers.forEach((field, i) => field.set(Number(this.extent[i].toFixed(3))));
  }

  #typed(i, value) {
    this.extent[i] = value;
    const [x0, x1, y0, y1] = this.extent;
    if (x0 < x1 && y0 < y1) this.refresh();
    else this.failure.show({ sentence: t("explorer.grid_order") });
    this.lookSoon();
  }

  // ---- asking and showing -------------------------------------------------------------------------

  #wanted() {
    if (this.mode === "view") return this.space.view ?? undefined;
    return this.mode === "numbers" ? this.extent : undefined;
  }

  /** What a live run is asked to draw. */
  look() {
    const extent = this.#wanted();
    return { ...(this.sized ? { n: this.n } : {}), ...(extent ? { extent } : {}) };
  }

  async refresh() {
    if (this.space.status !== "ready") return;
    const extent = this.#wanted();
    const args = { n: this.n, ...(extent ? { extent } : {}), ...this.space.planeArgs(true) };
    if (this.mode === "quantiles") args.quantiles = true;
    try {
      const answer = await this.space.ask("grid", args, "grid");
      if (!answer) return;
      this.failure.clear();
      if (!this.space.past) await this.#show(answer.items.grid, answer.values);
    } catch (error) {
      this.failure.show(error);
    }
  }

  /** A grid that a live run drew: shown when it is the one that was asked for. */
  takeLive(sheet) {
    if (this.space.past || this.mode === "quantiles") return;
    this.#show(sheet, {});
  }

  #takePast(frame) {
    if (frame?.views?.grid) this.#show(frame.views.grid, {});
    else if (!frame) this.refresh();
  }

  async #show(sheet, values) {
    this.wantedSheet = sheet;
    const image = await decoded(sheet);
    if (this.wantedSheet !== sheet) return;
    const extent = values.extent ?? sheet.extent;
    const n = sheet.columns;
    if (!this.sized) this.size.set((this.n = n)); // as many as a run draws by itself
    this.shown = {
      sheet, extent, n, xs: values.xs ?? centres(extent[0], extent[1], n), ys: values.ys ?? centres(extent[3], extent[2], n),
    };
    this.#draw(image, sheet);
    this.map().overlay.set("frame", { kind: "rect", extent });
    this.#markPoint();
  }

  #draw(image, sheet) {
    const { canvas } = this;
    if (canvas.width !== image.naturalWidth) canvas.width = image.naturalWidth;
    if (canvas.height !== image.naturalHeight) canvas.height = image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0);
    const enlarged = this.stage.clientWidth * (window.devicePixelRatio || 1) >= 1.8 * image.naturalWidth;
    canvas.classList.toggle("smooth", !enlarged);
    canvas.setAttribute("aria-label", sheet.alt || t("explorer.grid_title"));
    this.stage.classList.remove("loading");
  }

  // ---- cells --------------------------------------------------------------------------------------

  #cellAt(event) {
    const box = this.stage.getBoundingClientRect();
    const { n } = this.shown;
    const clamp = (v) => Math.min(Math.max(Math.floor(v * n), 0), n - 1);
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  }

  #place(element, column, row) {
    const share = 100 / this.shown.n;
    Object.assign(element.style, { left: `${column * share}%`, top: `${row * share}%`, width: `${share}%`, height: `${share}%` });
    element.classList.add("shown");
  }

  #at(column, row) {
    return [this.shown.xs[column], this.shown.ys[row]];
  }

  #click(event) {
    if (!this.shown) return;
    emit("tried", { what: "grid" });
    this.space.moveTo({ u: this.#at(...this.#cellAt(event)) }, "grid", event.timeStamp);
  }

  #hover(event) {
    if (!this.shown || event.pointerType === "touch") return;
    const [column, row] = this.#cellAt(event);
    this.#place(this.hoverCell, column, row);
    this.map().overlay.set("cell", { kind: "dots", us: [this.#at(column, row)], radius: 5 });
  }

  #leave() {
    this.hoverCell.classList.remove("shown");
    this.map().overlay.set("cell", null);
  }

  #key(event) {
    const step = ARROWS[event.key];
    if (!step || !this.shown) return;
    event.preventDefault();
    event.stopPropagation();
    const [column, row] = this.#nearest(this.space.point.u);
    const clamp = (v) => Math.min(Math.max(v, 0), this.shown.n - 1);
    this.space.moveTo({ u: this.#at(clamp(column + step[0]), clamp(row + step[1])) }, "grid");
  }

  #nearest([x, y]) {
    const closest = (list, v) => list.reduce((best, value, i) => (Math.abs(value - v) < Math.abs(list[best] - v) ? i : best), 0);
    return [closest(this.shown.xs, x), closest(this.shown.ys, y)];
  }

  #markPoint() {
    const { point } = this.space;
    if (!this.shown || !point) return;
    const { extent } = this.shown;
    const [x, y] = point.u;
    const inside = x >= extent[0] && x <= extent[1] && y >= extent[2] && y <= extent[3];
    if (inside) this.#place(this.cell, ...this.#nearest(point.u));
    else this.cell.classList.remove("shown");
  }
}

/** Middles of n equal parts from a to b. */
function centres(a, b, n) {
  return Array.from({ length: n }, (_, i) => a + ((i + 0.5) * (b - a)) / n);
}
