/** The monitor: live curves, the present numbers, alerts, pins. One repaint a frame at most. */

import { on, own, state, t } from "./store.js";
import { alerts } from "./curves_alerts.js";
import { Chart, View } from "./curves_chart.js";
import { ensureStyles, fill, h, paced } from "./curves_dom.js";
import { active, history, onHistory, seriesOf, splitName } from "./curves_history.js";
import { numbers } from "./curves_numbers.js";
import { listen } from "./curves_pointer.js";
import { changeLabel } from "./curves_settings.js";
import { partsOf } from "./curves_spec.js";
import { valueTable } from "./curves_table.js";
import { place as placePins } from "./compare.js";
import { otherPins, pinReach, pinSeries } from "./compare_pins.js";

const PAINT_MS = 95;
const SLOWEST_MS = 400;
const SHARE = 40; // painting takes at most one part in so many of the page's time
const TEXT_MS = 500;
const DESCRIBE_MS = 3000; // screen readers read on demand; no need to keep up with every step
const UNSEEN_MS = 1500; // charts outside the window are kept fresh, but seldom
const DASHES = [[6, 4], [2, 3], [9, 3, 2, 3]];
const COLOURS = {
  ink: "--mon-ink", muted: "--mon-muted", line: "--mon-line", reference: "--mon-reference",
  changed: "--mon-changed", alert: "--mon-warn", diverged: "--mon-bad", saved: "--mon-muted",
};

/** What painting has cost so far, for measurements. */
export const cost = { paints: 0, total_ms: 0, longest_ms: 0 };

/** Mount the monitor. @param {HTMLElement} element */
export function mount(element) {
  new Monitor(element, own.CHARTS);
}

class Monitor {
  constructor(element, specs) {
    this.view = new View();
    this.charts = specs.map((spec) => new Chart(spec, this.view));
    this.numbers = numbers();
    this.alerts = alerts(this.charts);
    this.table = valueTable(specs);
    this.colours = null;
    this.#build(element);
    this.paint = paced(() => this.#frame(), () => this.pace);
    this.pace = PAINT_MS;
    this.wrote = -Infinity;
    this.late = null; // the timer that writes the last words when nothing more comes
    this.describe = paced(() => this.charts.forEach((chart) => chart.describe()), DESCRIBE_MS);
    this.#listen();
    ensureStyles(() => this.#recolour());
    this.#refresh();
  }

  #recolour() {
    this.colours = null;
    this.paint();
  }

  #build(element) {
    this.smooth = h("button", {
      type: "button", class: "mon-chip", "aria-pressed": "false", title: t("monitor.smooth_help"),
      onclick: () => this.view.set({ smooth: !this.view.smooth }),
    }, t("monitor.smooth"));
    this.reset = h("button", {
      type: "button", class: "mon-chip", hidden: true, onclick: () => this.view.set({ zoom: null }),
    }, t("monitor.whole_run"));
    const compare = h("div", { class: "mon-compare-slot" });
    this.empty = h("p", { class: "play-note mon-empty" }, t("monitor.empty"));
    this.bar = h("div", { class: "mon-toolbar" }, h("h3", { class: "mon-heading" }, t("monitor.curves")),
      h("span", { class: "mon-spacer" }), this.reset, this.smooth, compare);
    this.stack = h("div", { class: "mon-charts" }, this.charts.map((chart) => chart.element));
    this.legend = h("p", { class: "mon-legend" });
    this.lines = h("section", { class: "mon-section mon-curves", "aria-label": t("monitor.curves") },
      this.bar, this.stack, this.legend, this.table.element);
    this.root = h("div", { class: "mon play-card" }, this.numbers.element, this.empty, this.lines);
    fill(element, this.root);
    placePins(compare);
  }

  #listen() {
    for (const chart of this.charts) listen(chart, this.view);
    this.view.listeners.add((change) => this.#viewChanged(change));
    onHistory((what) => this.#historyChanged(what));
    for (const type of ["run", "source", "pin", "catalogue"]) on(type, () => this.#refresh());
    on("changed", (event) => this.alerts.remedied(event.field));
    on("theme", () => this.#recolour());
    new ResizeObserver(() => this.paint()).observe(this.stack);
    const watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        this.charts.find((c) => c.element === entry.target).shown = entry.isIntersecting;
      }
      this.paint();
    }, { rootMargin: "60px" });
    for (const chart of this.charts) watcher.observe(chart.element);
  }

  #historyChanged(what) {
    if (what === "reset") {
      this.view.zoom = null;
      this.alerts.forget();
      for (const chart of this.charts) chart.axis = { choice: null, log: false };
    }
    this.#refresh();
  }

  #viewChanged(change) {
    const moved = "cursor" in change && !("zoom" in change);
    if (moved) for (const chart of this.charts) chart.follow();
    else this.#refresh();
  }

  #refresh() {
    this.stale = true;
    this.paint();
  }

  /** Curves in every frame that is asked for, words and numbers in some of the same frames. */
  #frame() {
    const wait = this.wrote + TEXT_MS - performance.now();
    this.#paint(wait <= 4 || !this.stale);
    if (!this.stale) return;
    clearTimeout(this.late);
    if (wait > 4) {
      this.late = setTimeout(this.paint, wait);
      return;
    }
    this.wrote = performance.now();
    this.stale = false;
    this.#write();
  }

  #write() {
    this.numbers.update();
    this.alerts.update();
    this.table.update();
    this.smooth.setAttribute("aria-pressed", String(this.view.smooth));
    this.reset.hidden = !this.view.zoom;
    for (const chart of this.charts) chart.follow();
    this.describe();
    const any = Boolean(state.run) || otherPins().length > 0;
    this.empty.hidden = any;
    this.lines.hidden = !any;
    this.root.classList.toggle("running", any);
    this.#writeLegend();
  }

  #writeLegend() {
    const kinds = ["changed", "alert", "diverged", "saved"].filter((k) => history.marks.some((m) => m.kind === k));
    const key = kinds.join();
    if (this.legend.dataset.kinds === key) return;
    this.legend.dataset.kinds = key;
    fill(this.legend, kinds.map((kind) =>
      h("span", { class: "mon-key" }, h("i", { class: `mon-flag ${kind}` }), t(`monitor.mark.${kind}`))));
  }

  /** @param {boolean} all also the charts that need not follow every event */
  #paint(all) {
    if (!this.root.isConnected || !this.root.offsetParent) return;
    const began = performance.now();
    this.colours ??= readColours(this.root, this.charts);
    const shared = { marks: marks(), steps: this.#steps(), colours: this.colours };
    for (const chart of this.charts) {
      const lines = this.#linesOf(chart);
      const used = lines.length > 0 || (history.series.size === 0 && !otherPins().length);
      if (chart.element.hidden === used) chart.element.hidden = !used;
      const due = (chart.shown && (all || !chart.spec.slow)) || began - chart.painted > UNSEEN_MS;
      if (!used || !due) continue;
      chart.painted = began;
      chart.paint({ ...shared, lines, references: references(chart.spec) });
    }
    const spent = performance.now() - began;
    cost.paints += 1;
    cost.total_ms += spent;
    cost.longest_ms = Math.max(cost.longest_ms, spent);
    this.pace = 0.9 * this.pace + 0.1 * Math.min(Math.max(PAINT_MS, SHARE * spent), SLOWEST_MS);
  }

  #steps() {
    let first = Infinity;
    let last = Math.max(history.lastStep, pinReach());
    for (const series of history.series.values()) {
      first = Math.min(first, series.firstStep ?? first);
      last = Math.max(last, series.lastStep ?? 0);
    }
    if (otherPins().length || first < 60 || !Number.isFinite(first)) first = 0;
    const over = Boolean(state.run) && !active(state.run);
    return this.view.domain(first, last, Math.max(state.run?.max_steps ?? 0, pinReach()), over);
  }

  #linesOf({ spec }) {
    const parts = partsOf(spec);
    const pinned = parts.flatMap((part) => this.#pinnedLines(part));
    const drawn = parts.flatMap((part) => this.#ownLines(part, parts.length > 1));
    return [...pinned, ...drawn].filter((line) => line.series?.length);
  }

  #pinnedLines({ metric, colour, splits }) {
    return otherPins().flatMap((pin, i) => splits.map((split) => ({
      series: pinSeries(pin, split, metric), colour: this.colours[colour], width: 1.4,
      dash: DASHES[i % DASHES.length], alpha: split === "train" ? 0.35 : 0.75,
    })));
  }

  /** A metric in every split that has it: what was measured apart from training stands out. */
  #ownLines({ metric, colour, name, splits }, several) {
    const found = splits.map((split) => ({ split, series: seriesOf(split, metric) })).filter(({ series }) => series?.length);
    const beside = found.some(({ split }) => split !== "train");
    return found.map(({ split, series }) => ({
      series, split, colour: this.colours[colour], tone: several ? colour : null,
      name: lineName(several ? name : "", beside && found.length > 1 ? splitName(split) : ""),
      ...(split === "train"
        ? { width: beside ? 1.2 : 1.5, alpha: beside ? 0.55 : 1, smooth: this.view.smooth }
        : { width: 2, dots: true }),
    }));
  }
}

function lineName(name, split) {
  const shown = typeof name === "function" ? name() : name ?? "";
  return [shown, split].filter(Boolean).join(", ");
}

/** Marks with the words that the tip shows. */
function marks() {
  for (const mark of history.marks) mark.text ??= markText(mark);
  return history.marks;
}

function markText({ kind, event }) {
  if (kind === "changed") return changeLabel(state.run?.model, event.field, event.old, event.new);
  return t(`monitor.mark.${kind}`);
}

function references(spec) {
  return spec.reference?.() ?? [];
}

function readColours(root, charts) {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(name).trim() || "#888";
  const colours = Object.fromEntries(Object.entries(COLOURS).map(([key, name]) => [key, read(name)]));
  for (const { spec } of charts) {
    for (const { colour } of partsOf(spec)) colours[colour] = read(colour);
  }
  return colours;
}
