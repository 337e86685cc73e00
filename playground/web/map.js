// The map card: tools, scatter, what stands on it, hovering, clicking, the legend.

import { button, errorLine, h, press, setText } from "./explorer_dom.js";
import { Gestures } from "./map_gestures.js";
import { HoverCard } from "./map_hover.js";
import { Legend } from "./map_legend.js";
import { Overlay } from "./map_overlay.js";
import { MapPlot, classColor } from "./map_plot.js";
import { within } from "./map_selection.js";
import { MARGIN } from "./map_range.js";
import { emit, on, state, t } from "./store.js";

const MODES = ["pan", "zoom", "lasso", "frame"];

/** The map of codes; `overlay` is where other views draw, `onframe` gets a dragged frame. */
export class LatentMap {
  /**
   * @param {import("./explorer_space.js").Space} space
   * @param {import("./map_atlas.js").Atlas} atlas
   */
  constructor(space, atlas) {
    Object.assign(this, { space, atlas });
    this.#build();
    this.plot = new MapPlot(this.canvas, space);
    this.range = this.plot.range;
    this.overlay = new Overlay(this.area, this.range);
    this.hover = new HoverCard(this.area, space, atlas);
    this.legend = new Legend(space, (hidden) => this.plot.setHidden(hidden));
    this.selected = h("p", { class: "x-selected play-note", "aria-live": "polite" });
    this.element.append(this.legend.element, this.selected);
    this.plot.onrange = () => { this.overlay.redraw(); this.#drawBackdrop(); };
    this.plot.onhidden = () => this.legend.set(this.plot.hidden);
    this.gestures = new Gestures(this.area, this.range, this.#calls());
    this.#setMode("pan");
    space.on("space", () => this.#newSpace());
    space.on("point", () => this.#markPoint());
    space.on("cloud", () => this.#markAxes());
    space.on("status", () => this.#showStatus());
    space.on("past", () => this.#showStatus());
    on("run", () => this.#showStatus());
    atlas.onChange(() => this.#drawBackdrop());
  }

  async start() {
    try {
      await this.plot.start();
    } catch (error) {
      this.failure.show(error);
    }
  }

  // ---- parts --------------------------------------------------------------------------------------

  #build() {
    this.tools = MODES.map((mode) =>
      button({ symbol: mode, label: t(`explorer.tool_${mode}`), pressed: mode === "pan", kind: "small quiet", onclick: () => this.#setMode(mode) }));
    this.backdropButton = button({
      symbol: "layers", label: t("explorer.tool_backdrop"), pressed: false, kind: "small quiet", onclick: () => this.#toggleBackdrop(),
    });
    const act = (symbol, key, fn) => button({ symbol, label: t(`explorer.${key}`), kind: "small quiet", onclick: fn });
    this.badge = h("span", { class: "x-badge" });
    const head = h("div", { class: "x-head" },
      h("h3", { class: "play-title" }, t("explorer.map_title")),
      h("div", { class: "x-tools", role: "toolbar", "aria-label": t("explorer.map_tools") },
        this.tools, h("i", { class: "x-gap" }),
        act("plus", "tool_in", () => this.range.zoom(1.5)), act("minus", "tool_out", () => this.range.zoom(1 / 1.5)),
        act("fit", "tool_fit", () => this.range.follow()), h("i", { class: "x-gap" }), this.backdropButton));
    this.backdrop = h("canvas", { class: "x-backdrop", "aria-hidden": "true", hidden: true });
    this.canvas = h("div", { class: "x-plot" });
    const help = h("p", { id: "x-map-help", class: "play-hidden" }, t("explorer.map_keys"));
    this.area = h("div", {
      class: "x-area", tabindex: 0, role: "application", "aria-label": t("explorer.map_label"), "aria-describedby": "x-map-help",
      style: { left: `${MARGIN.l}px`, top: `${MARGIN.t}px`, right: `${MARGIN.r}px`, bottom: `${MARGIN.b}px` },
    });
    this.axes = [h("span", { class: "x-axis x-axis-x" }), h("span", { class: "x-axis x-axis-y" })];
    this.message = h("p", { class: "x-message" });
    this.failure = errorLine();
    this.stage = h("div", { class: "x-stage loading" }, this.backdrop, this.canvas, this.area, this.axes, this.badge, this.message);
    this.area.append(help);
    this.element = h("section", { class: "play-card x-map", "aria-label": t("explorer.map_title") }, head, this.stage, this.failure.element);
  }

  #calls() {
    const { range, space } = this;
    return {
      hover: (px, py, u, event) => this.#hover(px, py, u, event),
      leave: () => { this.hover.hide(); this.overlay.set("nearest", null); },
      click: (u, event) => this.#click(u, event),
      move: ([dx, dy], large) => this.#step(dx, dy, large),
      enter: () => { if (space.point) space.moveTo({ z: space.point.z }, "enter"); },
      fit: () => range.follow(), zoom: (factor, u) => range.zoom(factor, u), pan: (dx, dy) => range.pan(dx, dy),
      box: (mode, extent, done) => this.#box(mode, extent, done),
      lasso: (us, done) => this.#lasso(us, done),
    };
  }

  #setMode(mode) {
    this.gestures.setMode(mode);
    this.tools.forEach((tool, i) => press(tool, MODES[i] === mode));
  }

  // ---- gestures -----------------------------------------------------------------------------------

  #hover(px, py, u, event) {
    if (this.space.status !== "ready") return;
    this.hover.show(px, py, u, { color: classColor, hidden: this.plot.hidden, time: event.timeStamp });
    if (this.hovered !== this.space.generation) {
      this.hovered = this.space.generation;
      emit("tried", { what: "hover" });
    }
  }

  #click(u, event) {
    if (this.space.status !== "ready") return;
    this.hover.hide();
    if (event.shiftKey) {
      this.onaddstop?.(u);
      return;
    }
    emit("tried", { what: "click" });
    this.space.moveTo({ u }, "click", event.timeStamp);
  }

  #step(dx, dy, large) {
    const { point } = this.space;
    if (!point || !this.range.now) return;
    const [x0, x1, y0, y1] = this.range.now;
    const size = (x1 - x0) * (large ? 0.1 : 0.02);
    const u = [point.u[0] + dx * size, point.u[1] + dy * size];
    const out = [Math.min(u[0] - x0, 0) + Math.max(u[0] - x1, 0), Math.min(u[1] - y0, 0) + Math.max(u[1] - y1, 0)];
    if (out[0] || out[1]) this.range.pan(...out);
    emit("tried", { what: "click", by: "key" });
    this.space.moveTo({ u }, "key");
  }

  #box(mode, extent, done) {
    const large = extent && (extent[1] - extent[0]) * this.range.scale() > 8;
    this.overlay.set("band", extent && !done ? { kind: "rect", extent } : null);
    if (!done || !large) return;
    if (mode === "zoom") this.range.choose(extent);
    else this.onframe?.(extent);
    this.#setMode("pan");
  }

  #lasso(us, done) {
    this.overlay.set("band", done ? null : { kind: "lasso", us });
    if (!done) return;
    const chosen = within(us, this.space.cloud, this.plot.hidden);
    this.plot.select(chosen);
    this.#tellSelection(chosen);
    this.#setMode("pan");
  }

  #tellSelection(chosen) {
    this.selected.replaceChildren();
    if (!chosen?.size) return;
    const counts = new Map();
    for (const i of chosen) counts.set(this.space.cloud.labels[i], (counts.get(this.space.cloud.labels[i]) ?? 0) + 1);
    const parts = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([label, n]) => `${this.space.className(label)}: ${n}`);
    this.selected.append(`${t("explorer.selected", { count: chosen.size, parts: parts.join(" · ") })} `,
      button({ text: t("explorer.selected_clear"), kind: "small quiet", onclick: () => { this.plot.select(null); this.#tellSelection(null); } }));
    emit("tried", { what: "select" });
  }

  // ---- what stands on the map -------------------------------------------------------------------

  #newSpace() {
    this.#tellSelection(null);
    ["samples", "mixture", "path", "stops", "walker", "drawing", "near", "nearest", "cell"].forEach((name) => this.overlay.set(name, null));
    this.#markPoint();
    this.#markAxes();
  }

  #markPoint() {
    const { point } = this.space;
    if (point) this.overlay.set("point", { kind: "marker", u: point.u });
  }

  #markAxes() {
    const [x, y] = this.space.axisNames();
    setText(this.axes[0], subscript(x));
    setText(this.axes[1], this.space.dim === 1 ? "" : subscript(y));
    this.axes[0].hidden = !x;
  }

  #showStatus() {
    const { space } = this;
    const { run } = state;
    const shownRun = run && state.source?.run === run.id;
    const badge = space.past ? t("explorer.badge_past", { step: space.past.step })
      : shownRun ? t(space.live ? "explorer.badge_live" : "explorer.badge_run", { step: run.step }) : "";
    setText(this.badge, badge);
    this.badge.className = `x-badge${space.past ? " past" : ""}${space.live && !space.past ? " live" : ""}`;
    this.stage.classList.toggle("loading", space.status === "loading");
    setText(this.message, space.status === "empty" ? t("explorer.empty") : "");
    if (space.status === "failed") this.failure.show(space.error);
    else this.failure.clear();
  }

  // ---- decodings behind the points --------------------------------------------------------------

  #toggleBackdrop() {
    this.backdrop.hidden = !this.backdrop.hidden;
    press(this.backdropButton, !this.backdrop.hidden);
    this.#drawBackdrop();
  }

  #drawBackdrop() {
    const now = this.atlas.current();
    if (this.backdrop.hidden || !now || !this.range.now) return;
    const { left, top, width, height } = this.range.area();
    const { sheet, image } = now;
    Object.assign(this.backdrop.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    this.backdrop.classList.toggle("gray", this.space.shape[0] === 1);
    if (this.backdrop.width !== Math.round(width) || this.backdrop.height !== Math.round(height)) {
      this.backdrop.width = Math.round(width);
      this.backdrop.height = Math.round(height);
    }
    const [x0, x1, y0, y1] = sheet.extent;
    const [ax, ay] = this.range.toPixel([x0, y1]);
    const [bx, by] = this.range.toPixel([x1, y0]);
    const context = this.backdrop.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, ax, ay, bx - ax, by - ay);
  }
}

/** "z12" -> "z₁₂" */
export function subscript(name) {
  return String(name ?? "").replace(/^z(\d+)$/, (_, digits) => `z${[...digits].map((d) => "₀₁₂₃₄₅₆₇₈₉"[d]).join("")}`);
}
