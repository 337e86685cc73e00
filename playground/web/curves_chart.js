/** One chart: its head with the numbers under the pointer, its canvas, its alerts. */

import { t } from "./store.js";
import { h, setText } from "./curves_dom.js";
import { MARGIN, draw } from "./curves_draw.js";
import { number, whole } from "./curves_format.js";
import { chooseAxis, valueRange } from "./curves_range.js";
import { partsOf } from "./curves_spec.js";
import { invert, makeScale, stepEnd, ticks } from "./curves_scale.js";
import { Progress } from "./curves_progress.js";
import { term } from "./help_terms.js";

const WIDE_TIP = 210; // the width of .mon-tip.wide and its distance, in pixels
const EMPTY_AXIS = { low: 0, high: 1, log: false, offered: false };

/** What all charts of a column share: the step under the pointer, the part of the steps in view. */
export class View {
  constructor() {
    this.cursor = null; // a step, or null
    this.y = NaN; // the pointer's height in its chart
    this.zoom = null; // [first, last] step, or null for all
    this.smooth = false;
    this.listeners = new Set();
  }

  set(change) {
    Object.assign(this, change);
    for (const fn of this.listeners) fn(change);
  }

  /** The step axis for curves that reach from `first` to `last` of at most `limit` steps. */
  domain(first, last, limit, over) {
    if (this.zoom) return this.zoom;
    return [first, over ? Math.max(last, first + 1) : first + stepEnd(last - first, limit && limit - first)];
  }
}

export class Chart {
  /**
   * @param {object} spec an entry of CHARTS
   * @param {View} view
   */
  constructor(spec, view) {
    this.spec = spec;
    this.view = view;
    this.axis = { choice: null, log: false };
    this.shown = true; // on screen, as the observer says
    this.painted = -Infinity;
    this.plot = null;
    this.progress = new Progress();
    this.lines = [];
    this.#build();
  }

  #build() {
    const { key } = this.spec;
    this.readings = h("span", { class: "mon-readings" });
    this.logButton = h("button", {
      type: "button", class: "mon-chip", hidden: true, onclick: () => this.#toggleLog(),
      "aria-pressed": "false", title: t("monitor.log_help"),
    }, t("monitor.log"));
    const unit = t(`monitor.unit.${key}`);
    const head = h("figcaption", { class: "mon-chart-head" },
      partsOf(this.spec).map(({ colour }) => h("span", { class: "mon-swatch", style: { background: `var(${colour})` } })),
      h("span", { class: "mon-chart-title" }, term(key, t(`monitor.chart.${key}`), { tab: false }), " ",
        h("span", { class: "mon-unit" }, unit)),
      this.logButton, this.readings);
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.cross = h("div", { class: "mon-cross", hidden: true });
    this.tip = h("div", { class: "mon-tip", hidden: true });
    this.area = h("div", {
      class: "mon-plot", tabindex: "0", role: "img", style: { height: `${this.spec.height}px` },
    }, this.canvas, this.cross, this.tip);
    this.alerts = h("div", { class: "mon-alerts" });
    this.element = h("figure", { class: "mon-chart", dataset: { chart: key } }, head, this.area, this.alerts);
    this.context = this.canvas.getContext("2d");
  }

  #toggleLog() {
    this.axis.choice = !this.axis.log;
    this.view.set({ axis: true });
  }

  /**
   * Draw the chart; when only values came, only what they add.
   * @param {object} data `lines`, `references`, `marks`, `steps` [first, last], `colours`
   */
  paint(data) {
    const width = this.area.clientWidth;
    const height = this.spec.height;
    if (!width) return;
    const resized = this.#resize(width, height);
    this.lines = data.lines;
    const plot = this.#layOut(data, width, height);
    const from = resized ? 0 : this.progress.since(plot);
    this.plot = plot;
    if (from >= width) return;
    draw(this.context, plot, from);
    this.progress.drew(plot);
    this.#placeCross();
  }

  #layOut(data, width, height) {
    const [first, last] = data.steps;
    const x = makeScale(first, last, MARGIN.left, width - MARGIN.right);
    const range = valueRange(data.lines, x);
    if (range && this.spec.zero) range.core[0] = Math.min(range.core[0], 0);
    if (range && this.spec.range) widen(range, this.spec.range);
    const references = data.references.map((r) => r.value);
    const axis = range ? chooseAxis(range, references, this.axis) : EMPTY_AXIS;
    if (range) Object.assign(this.axis, { log: axis.log, low: axis.low, high: axis.high });
    this.#showLog(axis);
    return {
      width, height, x, y: makeScale(axis.low, axis.high, height - MARGIN.bottom, MARGIN.top, axis.log),
      lines: data.lines, references: data.references, marks: data.marks, colours: data.colours,
      xName: t("monitor.step"), xTicks: ticks(first, last, Math.round(width / 75)),
      yTicks: range ? ticks(axis.low, axis.high, Math.round(height / 24), axis.log) : [],
    };
  }

  #resize(width, height) {
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    if (this.canvas.width === Math.round(width * ratio) && this.canvas.height === Math.round(height * ratio)) return false;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return true;
  }

  #showLog(axis) {
    if (this.logButton.hidden === axis.offered) this.logButton.hidden = !axis.offered;
    const pressed = String(axis.log);
    if (this.logButton.getAttribute("aria-pressed") !== pressed) {
      this.logButton.setAttribute("aria-pressed", pressed);
    }
  }

  /** Put the cross and the readings at the view's step; without one, the newest values. */
  follow() {
    this.#showReadings(this.view.cursor);
    this.#placeCross();
  }

  #placeCross() {
    const { plot, view: { cursor } } = this;
    const inside = cursor != null && plot && cursor >= plot.x.low && cursor <= plot.x.high;
    this.cross.hidden = !inside;
    if (!inside) {
      this.tip.hidden = true;
      return;
    }
    const px = plot.x.at(cursor);
    this.cross.style.transform = `translateX(${px.toFixed(1)}px)`;
    this.#showTip(px, cursor);
  }

  #showTip(px, cursor) {
    const here = this.view.owner === this;
    this.tip.hidden = !here;
    if (!here) return;
    const reach = 5 * (this.plot.x.high - this.plot.x.low) / (this.plot.width - MARGIN.left - MARGIN.right);
    const near = this.plot.marks.filter((m) => Math.abs(m.step - cursor) <= reach);
    const words = [t("monitor.at_step", { step: whole(cursor) }), ...near.map((m) => m.text), ...this.#sources()];
    this.tip.classList.toggle("wide", words.some((w) => w.length > 40));
    setText(this.tip, [...new Set(words)].join(" · "));
    const room = this.tip.classList.contains("wide") ? WIDE_TIP : this.plot.width / 2;
    this.tip.classList.toggle("left", px > this.plot.width - room);
    this.tip.style.transform = `translateX(${px.toFixed(1)}px)`;
  }

  /** Where the published figure under the pointer comes from. */
  #sources() {
    const near = this.plot.references.filter((r) => Math.abs(this.plot.y.at(r.value) - this.view.y) < 8);
    return near.map((r) => r.source ?? r.text);
  }

  #showReadings(cursor) {
    const lines = this.lines.filter((line) => line.split);
    while (this.readings.childElementCount > lines.length) this.readings.lastChild.remove();
    while (this.readings.childElementCount < lines.length) {
      this.readings.append(h("span", { class: "mon-reading" }, h("i"), h("b")));
    }
    lines.forEach((line, i) => this.#showReading(this.readings.children[i], line, cursor));
  }

  #showReading(node, line, cursor) {
    const { series } = line;
    const index = cursor == null ? series.length - 1 : series.nearest(cursor);
    setText(node.firstChild, line.name);
    setText(node.lastChild, number(index < 0 ? null : series.y[index]));
    if (node.dataset.split !== line.split) node.dataset.split = line.split;
    const colour = line.tone ? `var(${line.tone})` : "";
    if (node.firstChild.style.color !== colour) node.firstChild.style.color = colour;
  }

  /** The step under a client x position. */
  stepAt(clientX) {
    if (!this.plot) return null;
    const left = this.area.getBoundingClientRect().left;
    const step = invert(this.plot.x, clientX - left, MARGIN.left, this.plot.width - MARGIN.right);
    return Math.min(Math.max(step, this.plot.x.low), this.plot.x.high);
  }

  /** Say in words what the chart shows, for screen readers. */
  describe() {
    const values = this.lines.filter((l) => l.split && l.series.length).map((line) => {
      const index = this.view.cursor == null ? line.series.length - 1 : line.series.nearest(this.view.cursor);
      return `${line.name} ${number(line.series.y[index])} ${t("monitor.at_step", { step: whole(line.series.x[index]) })}`;
    });
    const text = t("monitor.chart_alt", {
      name: t(`monitor.chart.${this.spec.key}`), unit: t(`monitor.unit.${this.spec.key}`),
      values: values.join("; ") || t("monitor.no_values"),
    });
    if (this.area.getAttribute("aria-label") !== text) this.area.setAttribute("aria-label", text);
  }
}

function widen(range, [low, high]) {
  for (const part of [range.core, range.full]) {
    part[0] = Math.min(part[0], low);
    part[1] = Math.max(part[1], high);
  }
}
