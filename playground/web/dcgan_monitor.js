// The mode-collapse monitor: its state as one badge, and the evidence under it.

import { errorLine, h, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { shown } from "./decode.js";
import { decoded, fittingSide, paintTiles } from "./views_pictures.js";
import { ClassChart } from "./dcgan_classes.js";
import { Figures, GROUPS, levelOf, toldLevel } from "./dcgan_figures.js";
import { RepairCard } from "./dcgan_repair.js";
import { StackedTable } from "./dcgan_stacked.js";
import { thumbnail, cut } from "./dcgan_tiles.js";
import { term } from "./help_terms.js";
import { on, state, t } from "./store.js";

const COLUMNS = 8;
const PAIR = 56;

export class Monitor {
  /** @param {import("./dcgan_sampler.js").Sampler} sampler @param {{open: () => void}} parts what a click on the badge does */
  constructor(sampler, { open }) {
    Object.assign(this, { sampler, level: null, values: null, seen: false });
    this.#build(open);
    sampler.on("space", () => this.#space());
    sampler.on("sample", () => this.#saved());
    sampler.on("weights", ({ live }) => { if (!live) { this.asked = null; this.#saved(); } });
    on("alert", (event) => this.#alert(event));
    on("reset", () => { this.alert = null; });
  }

  // ---- parts --------------------------------------------------------------------------------------

  #build(open) {
    this.badge = h("button", { type: "button", class: "dc-badge", onclick: open, title: t("dcgan.badge_title") }, h("i"), h("b"), h("span", { class: "play-number" }));
    this.head = h("div", { class: "dc-verdict" }, this.pill = h("span", { class: "dc-pill" }), this.says = h("p"), this.when = h("span", { class: "play-note play-number" }));
    this.repair = new RepairCard(this.sampler);
    this.failure = errorLine();
    this.groups = GROUPS.map(({ key, figures }) => ({ key, figures: new Figures(figures) }));
    this.classes = new ClassChart();
    this.stacked = new StackedTable();
    this.grid = new ChangeGrid();
    this.pair = h("div", { class: "dc-pair-tiles" });
    const extra = { classes: [this.classes.element, this.stacked.element], differ: [this.pair] };
    this.sections = this.groups.map(({ key, figures }) => h("section", { class: `dc-question dc-q-${key}` },
      h("h4", { class: "x-sub" }, t(`dcgan.question.${key}`)), figures.element, extra[key] ?? null));
    const [cover, classes, differ, judge] = this.sections;
    const fixed = h("section", { class: "dc-question dc-q-grid" }, h("h4", { class: "x-sub" }, term("fixed_grid", t("dcgan.question.grid"))), this.grid.element);
    this.body = h("div", { class: "dc-evidence" }, h("div", {}, fixed, judge), h("div", {}, cover, classes, differ));
    this.waits = h("p", { class: "play-note" });
    this.foot = h("p", { class: "play-note" });
    this.element = h("div", { class: "x-stack dc-monitor" }, this.head, this.repair.element, this.failure.element, this.waits, this.body, this.foot);
    this.#draw();
  }

  #space() {
    Object.assign(this, { values: null, level: null, asked: null, step: null });
    if (!state.source?.run) this.alert = null;
    this.failure.clear();
    this.grid.clear();
    this.#draw();
  }

  shown(on) {
    this.seen = on;
    if (on) this.grid.paint();
  }

  // ---- where its numbers come from ----------------------------------------------------------------

  /** The view "monitor" of a run. */
  takeLive(payload, step) {
    if (this.sampler.past) return;
    this.step = step;
    this.told = { run: state.run?.id, level: toldLevel(payload.values.level) };
    this.#take(payload, this.told.level);
  }

  /** A saved model, or a run that has ended, is looked at once, after its samples are shown. */
  async #saved() {
    const { sampler } = this;
    if (sampler.live || sampler.status !== "ready" || sampler.past || this.asked === sampler.generation) return;
    if (state.source?.run && state.run?.state === "paused") return; // its own monitor has the course of the run
    this.asked = sampler.generation;
    try {
      const answer = await sampler.ask("health", {}, "health");
      if (!answer) return;
      const ended = state.source?.run && this.told?.run === state.source.run ? this.told.level : null;
      if (Object.keys(answer.values).length) this.#take(answer, ended);
      this.failure.clear();
    } catch (error) {
      this.failure.show(error);
    }
  }

  #take({ items, values }, told) {
    this.values = values;
    this.level = told ?? levelOf(values);
    this.items = items;
    this.#draw();
    this.sampler.emit("health", { values, level: this.level });
  }

  /** What set the state off, in the engine's own sentence. */
  #alert(event) {
    if (toldLevel(event.level)) this.alert = event;
    this.#drawState();
  }

  // ---- drawing ------------------------------------------------------------------------------------

  #draw() {
    const { values, sampler } = this;
    this.#drawState();
    this.body.hidden = !values;
    setText(this.waits, values ? "" : t(sampler.live ? "dcgan.monitor_soon" : "dcgan.monitor_wait"));
    setText(this.foot, values ? t("dcgan.monitor_foot") : "");
    setText(this.when, values && state.source?.run && this.step !== null ? t("dcgan.looked_at", { step: this.step.toLocaleString("en") }) : "");
    this.repair.set({ values, level: this.level });
    if (!values) return;
    this.groups.forEach(({ figures }, i) => { this.sections[i].hidden = !figures.set(values, sampler); });
    this.classes.set(this.items.histogram, this.items.histogram_real);
    this.stacked.set(values, sampler.dataset);
    this.#drawPair(this.items.closest);
    this.grid.show(this.items.grid, values.changes);
  }

  #drawState() {
    const { level, values } = this;
    const [, word, figure] = this.badge.children;
    this.badge.dataset.level = level ?? "none";
    this.pill.dataset.level = level ?? "none";
    setText(word, t(`dcgan.level.${level ?? "none"}`));
    setText(this.pill, t(`dcgan.level.${level ?? "none"}`));
    setText(figure, Number.isFinite(values?.coverage) ? t("dcgan.badge_coverage", { value: shown(values.coverage, 2) }) : "");
    const sentence = this.alert && this.alert.level === level && state.source?.run ? this.alert.sentence : t(`dcgan.level_says.${level ?? "none"}`);
    setText(this.says, sentence);
  }

  async #drawPair(sheet) {
    if (!sheet) return fill(this.pair);
    const image = await decoded(sheet);
    const [a, nearA, b, nearB] = [0, 1, 2, 3].map((i) => thumbnail(cut(image, sheet, i), PAIR, t(`dcgan.pair_${i}`)));
    fill(this.pair, h("span", { class: "play-note" }, t("dcgan.pair_samples")), a, b,
      h("span", { class: "play-note" }, t("dcgan.pair_training")), nearA, nearB);
  }
}

/** The fixed-noise grid: each cell framed by how much it has changed since the last look. */
class ChangeGrid {
  constructor() {
    this.canvas = h("canvas", { role: "img", "aria-label": t("dcgan.change_alt") });
    this.marks = h("div", { class: "dc-changes", "aria-hidden": "true" });
    this.place = h("div", { class: "dc-change-stage" }, this.canvas, this.marks);
    this.element = h("div", { class: "dc-change" }, this.place,
      h("div", { class: "dc-change-legend play-note" }, h("span", {}, t("dcgan.change_none")), h("i"), h("span", {}, t("dcgan.change_much"))));
    new ResizeObserver(() => this.paint()).observe(this.place);
  }

  clear() {
    this.drawn = null;
    this.marks.replaceChildren();
  }

  async show(sheet, changes) {
    if (!sheet) return;
    const image = await decoded(sheet);
    this.drawn = { sheet, image, changes: changes ?? [] };
    this.paint();
  }

  paint() {
    const width = this.place.clientWidth;
    if (!this.drawn || !width) return;
    const { sheet, image, changes } = this.drawn;
    const count = sheet.rows * sheet.columns;
    const side = fittingSide(sheet, COLUMNS, Math.min(width, 300), 2);
    paintTiles(this.canvas, image, sheet, { side, gap: 2, indices: Array.from({ length: count }, (_, i) => i), columns: COLUMNS });
    Object.assign(this.marks.style, { gridTemplateColumns: `repeat(${COLUMNS}, ${side}px)`, gridAutoRows: `${side}px` });
    fill(this.marks, Array.from({ length: count }, (_, i) => {
      const change = Math.min(Math.max(changes[i] ?? 0, 0), 1);
      return h("i", { style: { "--change": change.toFixed(2) }, title: t("dcgan.change_cell", { value: shown(changes[i] ?? 0, 2) }) });
    }));
    const mean = changes.length ? changes.reduce((a, b) => a + b, 0) / changes.length : 0;
    this.canvas.setAttribute("aria-label", `${t("dcgan.change_alt")} ${t("dcgan.change_cell", { value: shown(mean, 2) })}`);
  }
}
