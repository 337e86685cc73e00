// A fork beside the run that it came from: their samples at the same step, and coverage of both.

import { button, h, setText } from "./explorer_dom.js";
import { shown } from "./decode.js";
import { decoded, fittingSide, paintTiles } from "./views_pictures.js";
import { differences } from "./compare_pins.js";
import { insteadLabel } from "./curves_settings.js";
import { seriesOf, onHistory } from "./curves_history.js";
import { Series } from "./curves_series.js";
import { pairOf } from "./remedies.js";
import { api, base, explore, on, state, t } from "./store.js";

const COLUMNS = 8;
const FIGURES = ["coverage", "class_kl_nats"];

export class PairView {
  /** @param {import("./dcgan_sampler.js").Sampler} sampler */
  constructor(sampler) {
    Object.assign(this, { sampler, before: null, key: null });
    this.#build();
    for (const type of ["run", "reset", "source", "pair"]) on(type, () => this.#follow());
    sampler.on("drawn", () => this.#draw());
    onHistory((what) => { if (what === "metrics") this.#drawFigures(); });
    this.#follow();
  }

  #build() {
    this.sides = Object.fromEntries(["before", "after"].map((key) => [key, new Side(key)]));
    this.what = h("p", { class: "play-note" });
    const close = button({ symbol: "close", label: t("dcgan.pair_close"), kind: "small quiet", onclick: () => { this.closed = this.key; this.#show(); } });
    this.element = h("section", { class: "play-card dc-compare", "aria-label": t("dcgan.pair") },
      h("div", { class: "x-head" }, h("h3", { class: "play-title" }, t("dcgan.pair")), this.what, h("i", { class: "dc-spacer" }), close),
      h("div", { class: "dc-sides" }, this.sides.before.element, this.sides.after.element));
    this.element.hidden = true;
  }

  /** Whether the run on screen came from another one; that one's past is then read once. */
  #follow() {
    const { run } = state;
    const shownRun = run && state.source?.run === run.id ? run : null;
    const before = pairOf(shownRun ?? (run && !state.source?.checkpoint ? run : null));
    const key = before && JSON.stringify([run.id, before]);
    if (key === this.key) return;
    this.key = key;
    this.before = null;
    this.#show();
    if (before) this.#read(before, key);
  }

  async #read(before, key) {
    try {
      const past = before.run ? await runPast(before.run) : await checkpointPast(before.checkpoint);
      if (key !== this.key) return;
      this.before = past;
      this.#describe();
      this.#show();
      this.#draw();
    } catch (error) {
      console.info("The run before is not there to compare with:", error.message);
    }
  }

  #describe() {
    const rows = differences(this.before.about, state.run).filter((r) => !["seed"].includes(r.field));
    const named = rows.slice(0, 3).map(({ field, from, to }) => insteadLabel(state.run.model, field, from, to));
    setText(this.what, named.length ? named.join(", ") : t("dcgan.pair_same"));
  }

  #show() {
    this.element.hidden = !this.before || this.closed === this.key;
  }

  #draw() {
    if (this.element.hidden) return;
    const { sampler } = this;
    const step = sampler.past?.step ?? state.run?.step ?? 0;
    this.sides.after.picture(sampler.sheet(), t("dcgan.pair_after"), step);
    const frame = this.before.at(step);
    if (frame) this.sides.before.picture(frame.sheet, this.before.about.title, frame.step);
    this.#drawFigures();
  }

  #drawFigures() {
    if (this.element.hidden) return;
    const step = this.sampler.past?.step ?? state.run?.step ?? 0;
    const now = Object.fromEntries(FIGURES.map((name) => [name, valueAt(seriesOf("monitor", name), step)]));
    const then = Object.fromEntries(FIGURES.map((name) => [name, this.before.figure(name, step)]));
    const real = seriesOf("monitor", "coverage_real")?.last ?? this.before.figure("coverage_real", step) ?? 1;
    this.sides.before.figures(then, real);
    this.sides.after.figures(now, real);
  }
}

function valueAt(series, step) {
  const i = series ? series.nearest(step) : -1;
  return i < 0 ? null : series.y[i];
}

class Side {
  constructor(key) {
    this.canvas = h("canvas", { role: "img" });
    this.place = h("div", { class: "dc-side-place" }, this.canvas);
    this.name = h("b");
    this.step = h("span", { class: "play-note play-number" });
    this.fill = h("b");
    this.tick = h("u");
    this.coverage = h("span", { class: "play-number" });
    this.element = h("figure", { class: `dc-side dc-${key}` }, h("figcaption", {}, this.name, this.step), this.place,
      h("div", { class: "dc-figure" }, h("span", { class: "dc-figure-name" }, t("dcgan.figure.coverage")),
        h("i", { class: "dc-bar dc-lined" }, this.fill, this.tick), h("span", { class: "dc-figure-value" }, this.coverage)));
    new ResizeObserver(() => this.#paint()).observe(this.place);
  }

  async picture(sheet, name, step) {
    setText(this.name, name);
    setText(this.step, step === null ? t("dcgan.pair_saved") : t("dcgan.at_step", { step: step.toLocaleString("en") }));
    if (!sheet || this.sheet === sheet) return;
    this.sheet = sheet;
    this.image = await decoded(sheet);
    this.canvas.setAttribute("aria-label", `${name}: ${sheet.alt ?? ""}`);
    this.#paint();
  }

  #paint() {
    const width = this.place.clientWidth;
    if (!this.image || !width) return;
    const side = fittingSide(this.sheet, COLUMNS, width, 1);
    const count = this.sheet.rows * this.sheet.columns;
    paintTiles(this.canvas, this.image, this.sheet, { side, gap: 1, indices: Array.from({ length: count }, (_, i) => i), columns: COLUMNS });
  }

  figures({ coverage }, real) {
    const there = Number.isFinite(coverage);
    setText(this.coverage, there ? shown(coverage, 2) : "–");
    this.fill.style.width = `${there ? 100 * Math.min(coverage, 1) : 0}%`;
    this.tick.style.left = `${100 * Math.min(real, 1)}%`;
  }
}

/** What a run has left: its kept samples and its monitor's numbers. */
async function runPast(id) {
  const path = `runs/${encodeURIComponent(id)}`;
  const [about, { frames }, table] = await Promise.all([api(path), api(`${path}/timeline`), metricsOf(path)]);
  const kept = (frames ?? []).filter((f) => f.views?.samples);
  return {
    about: { ...about, title: about.title || t("dcgan.before") },
    at: (step) => {
      const found = kept.filter((f) => f.step <= step).at(-1) ?? kept[0];
      return found ? { sheet: found.views.samples, step: found.step } : null;
    },
    figure: (name, step) => valueAt(table.get(name) ?? null, step),
  };
}

/** The monitor's numbers of a run, from its table of metrics. */
async function metricsOf(path) {
  const series = new Map();
  const answer = await fetch(`${base}${path}/metrics.csv`).catch(() => null);
  if (!answer?.ok) return series;
  const [head, ...rows] = (await answer.text()).trim().split("\n").map((line) => line.trim().split(","));
  const [stepAt, splitAt] = [head.indexOf("step"), head.indexOf("split")];
  for (const name of [...FIGURES, "coverage_real"]) {
    const at = head.indexOf(name);
    if (at < 0) continue;
    const points = rows.filter((r) => r[splitAt] === "monitor" && r[at] !== "").map((r) => [Number(r[stepAt]), Number(r[at])]);
    const one = new Series();
    for (const [step, value] of points) one.push(step, value);
    series.set(name, one);
  }
  return series;
}

/** A saved model does not move: its samples and one look of the monitor. */
async function checkpointPast(name) {
  const source = { checkpoint: name };
  const [samples, health] = await Promise.all([explore("samples", {}, { source }), explore("health", {}, { source })]);
  const about = state.catalogue.checkpoints.find((c) => c.name === name) ?? { config: {}, title: name };
  return {
    about: { ...about, title: about.title || name },
    at: () => ({ sheet: samples.items.sheet, step: null }),
    figure: (metric) => health.values[metric] ?? null,
  };
}
