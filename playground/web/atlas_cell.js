// One cell, large: its points over the data, its numbers, and a run that repeats it.

import { STATES, rate } from "./atlas_state.js";
import { colour, drawCloud, drawMark, sharp } from "./atlas_marks.js";
import { number } from "./curves_format.js";
import { startInstead } from "./curves_settings.js";
import { button, errorLine, h, inFrame, setText } from "./explorer_dom.js";
import { announce, applySettings, emit, t } from "./store.js";
import { ink, palette } from "./theme.js";

const LARGEST = 300;
const LEAST_STEPS = 5000;

/** The facts of a cell in words: [[name, value], …]. */
export function facts(reading, row, column) {
  const cell = row * reading.columns.length + column;
  const found = [
    [t("atlas.rate_g"), rate(reading.rows[row])],
    [t("atlas.rate_d"), rate(reading.columns[column])],
    [t(reading.hasModes ? "atlas.modes" : "atlas.places"), t("atlas.of", { n: reading.modes[cell], total: reading.total })],
  ];
  if (reading.hasModes) found.push([t("atlas.strict"), t("atlas.of", { n: reading.strict[cell], total: reading.total })]);
  found.push([t(reading.hasModes ? "atlas.quality" : "atlas.on_data"), `${number(100 * reading.quality[cell], 2)} %`]);
  return found;
}

/** The state of a cell, by name. */
export const stateOf = (reading, row, column) => STATES[reading.state[row * reading.columns.length + column]];

export class Large {
  /** @param {import("./atlas_state.js").Atlas} atlas */
  constructor(atlas) {
    this.atlas = atlas;
    this.canvas = h("canvas", { class: "atlas-large", role: "img" });
    this.mark = h("canvas", { class: "atlas-mark", "aria-hidden": "true" });
    this.name = h("b", {});
    this.why = h("p", { class: "play-note" });
    this.list = h("dl", { class: "atlas-facts" });
    this.failure = errorLine();
    this.open = button({ text: t("atlas.open"), kind: "primary atlas-open", title: t("atlas.open_help"), onclick: () => this.#open() });
    this.close = button({ symbol: "close", label: t("atlas.close"), kind: "small quiet", onclick: () => { atlas.select(null); this.onclose?.(); } });
    this.element = h("section", { class: "atlas-side", hidden: true, "aria-label": t("atlas.cell") },
      h("div", { class: "atlas-side-head" }, this.mark, this.name, this.close),
      this.canvas, this.#key(), this.why, this.list, this.failure.element, this.open);
    this.draw = inFrame(() => this.#draw());
    this.busy = false;
  }

  #key() {
    const swatch = (ink) => h("span", { class: "atlas-dot", style: { background: ink }, "aria-hidden": "true" });
    return h("p", { class: "atlas-key" }, swatch(palette.real), t("atlas.real"), swatch(palette.generated), t("atlas.generated"));
  }

  #draw() {
    const { selected, reading, cell } = this.atlas;
    this.element.hidden = !selected || !reading;
    if (this.element.hidden) return;
    const { row, column } = selected;
    const state = stateOf(reading, row, column);
    setText(this.name, t(`atlas.state.${state}`));
    setText(this.why, t(`atlas.why.${state}`));
    drawMark(sharp(this.mark, 18, 18), state, 9, 9, 7, colour(state));
    const now = facts(reading, row, column);
    this.list.replaceChildren(...now.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "play-number" }, value)]));
    const size = Math.min(LARGEST, this.element.clientWidth);
    const ctx = sharp(this.canvas, size, size);
    const box = { x: 0, y: 0, size };
    const start = (row * reading.columns.length + column) * reading.each * 2;
    const points = cell?.generated ?? reading.samples.subarray(start, start + reading.each * 2);
    drawCloud(ctx, box, reading.extent, cell?.real ?? reading.real, { ink: palette.real, radius: 2, alpha: 0.55 });
    drawCloud(ctx, box, reading.extent, points, { ink: palette.generated, radius: 1.8, alpha: 0.85 });
    if (now.length && !inside(points, reading.extent)) {
      ctx.fillStyle = ink();
      ctx.font = `13px ${getComputedStyle(this.canvas).fontFamily}`;
      ctx.textAlign = "center";
      ctx.fillText(t("atlas.outside"), size / 2, size / 2);
    }
    this.canvas.setAttribute("aria-label", t("atlas.large", { state: t(`atlas.state.${state}`) }));
    this.open.disabled = this.busy || !cell || !this.atlas.origin();
  }

  /** A run of the single GAN with the rates of this cell and everything else alike. */
  async #open() {
    const { cell, atlas } = { cell: this.atlas.cell, atlas: this.atlas };
    const origin = atlas.origin();
    if (!cell || !origin || this.busy) return;
    this.busy = true;
    this.failure.clear();
    this.draw();
    const { config, step } = cell.values;
    const settings = { model: "gan2d", dataset: origin.dataset, config, seed: origin.seed ?? 0, preset: null, max_steps: Math.max(step, LEAST_STEPS) };
    const title = t("atlas.run_title", { g: rate(config.generator_learning_rate), d: rate(config.discriminator_learning_rate) });
    try {
      applySettings(settings);
      await startInstead({ ...settings, title });
      emit("tried", { what: "atlas-cell", config });
      announce(t("atlas.opened", { title }));
    } catch (error) {
      this.failure.show(error);
    } finally {
      this.busy = false;
      this.draw();
    }
  }
}

function inside(xy, [x0, x1, y0, y1]) {
  for (let i = 0; i + 1 < xy.length; i += 2) {
    if (xy[i] >= x0 && xy[i] <= x1 && xy[i + 1] >= y0 && xy[i + 1] <= y1) return true;
  }
  return false;
}
