// The stability atlas: a hundred GANs trained at once, one for each pair of learning rates.

import { Large, facts, stateOf } from "./atlas_cell.js";
import { Controls } from "./atlas_controls.js";
import { AtlasMap } from "./atlas_grid.js";
import { colour, drawMark, sharp } from "./atlas_marks.js";
import { Atlas, STATES, counts, rate } from "./atlas_state.js";
import { whole } from "./curves_format.js";
import { ensureStyles, errorLine, h, paced, setText } from "./explorer_dom.js";
import { announce, on, ready, t } from "./store.js";

const WORDS_MS = 900; // how often what is written for the ear is renewed
const ARROWS = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };

/**
 * Mount the atlas.
 * @param {HTMLElement} element
 */
export async function mountAtlas(element) {
  await Promise.all([ready, ensureStyles("explorer.css"), ensureStyles("atlas.css")]);
  const atlas = new Atlas();
  const view = new View(atlas);
  element.replaceChildren(view.element);
  view.begin();
  await atlas.open();
}

class View {
  constructor(atlas) {
    this.atlas = atlas;
    this.canvas = h("canvas", { class: "atlas-canvas", tabindex: 0, role: "img", "aria-label": t("atlas.empty") });
    this.map = new AtlasMap(atlas, this.canvas);
    this.large = new Large(atlas);
    this.controls = new Controls(atlas);
    this.failure = errorLine();
    this.progress = h("p", { class: "atlas-progress play-number" });
    this.readout = h("p", { class: "atlas-readout" }, t("atlas.hint"));
    this.legend = h("ul", { class: "atlas-legend" });
    this.table = h("div", { class: "atlas-table" });
    this.text = h("details", { class: "atlas-more", ontoggle: () => this.#writeTable() },
      h("summary", {}, t("atlas.as_text")), this.table);
    this.place = h("div", { class: "atlas-place" }, this.canvas);
    this.main = h("div", { class: "atlas-main" }, this.place, this.legend, this.readout);
    this.element = h("div", { class: "atlas" }, this.controls.element, this.progress, this.failure.element,
      h("div", { class: "atlas-split" }, this.main, this.large.element), this.text);
    this.byKey = false; // whether the keyboard, not the pointer, chose the cell that is told of
    this.say = paced(() => this.#write(), WORDS_MS);
  }

  begin() {
    const { atlas, map, large, canvas } = this;
    const watched = new ResizeObserver(() => {
      map.resize(Math.floor(this.place.clientWidth));
      large.draw();
    });
    for (const each of [this.element, this.place]) watched.observe(each);
    atlas.on("reading", () => { map.draw(); large.draw(); this.say(); this.#progress(); });
    atlas.on("run", () => { map.draw(); this.#progress(); });
    atlas.on("cell", () => { map.draw(); large.draw(); });
    atlas.on("error", (error) => (error ? this.failure.show(error) : this.failure.clear()));
    on("theme", () => { map.draw(); large.draw(); this.#legend(); });
    on("visible", (now) => { if (now) map.draw(); });
    canvas.addEventListener("pointermove", (event) => {
      if (!event.movementX && !event.movementY) return; // the page moved, not the pointer
      this.byKey = false;
      this.#hover(map.at(event.offsetX, event.offsetY));
    });
    canvas.addEventListener("pointerleave", () => { if (!this.byKey) this.#hover(null); });
    canvas.addEventListener("click", (event) => this.#choose(map.at(event.offsetX, event.offsetY)));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    large.onclose = () => canvas.focus();
    this.#legend();
    this.#progress();
  }

  // ---- pointer and keyboard -------------------------------------------------------------------

  #hover(place) {
    const { cursor } = this.map;
    if (cursor?.row === place?.row && cursor?.column === place?.column) return;
    this.map.cursor = place;
    this.map.draw();
    setText(this.readout, this.#sentence(place) ?? t("atlas.hint"));
  }

  #choose(place) {
    if (place && this.atlas.reading) this.atlas.select(place);
  }

  #key(event) {
    const [rows, columns] = this.map.shape();
    const step = ARROWS[event.key];
    if (step) {
      const from = this.map.cursor ?? this.atlas.selected;
      const place = from
        ? { row: within(from.row + step[0], rows), column: within(from.column + step[1], columns) }
        : { row: 0, column: 0 };
      this.byKey = true;
      this.#hover(place);
      announce(this.#sentence(place) ?? "");
    } else if (event.key === "Enter") {
      this.#choose(this.map.cursor);
    } else if (event.key === "Escape" && this.atlas.selected) {
      this.atlas.select(null);
    } else return;
    event.preventDefault();
    event.stopPropagation(); // the page's shortcuts are not meant here
  }

  // ---- words ----------------------------------------------------------------------------------

  #sentence(place) {
    const { reading } = this.atlas;
    if (!place || !reading || place.row >= reading.rows.length || place.column >= reading.columns.length) return null;
    const told = facts(reading, place.row, place.column).map(([name, value]) => `${name} ${value}`).join(" · ");
    return `${t(`atlas.state.${stateOf(reading, place.row, place.column)}`)}: ${told}`;
  }

  #progress() {
    const { run, reading, source } = this.atlas;
    const parts = [];
    if (run && source?.run) {
      parts.push(t(`atlas.run.${run.state}`));
      parts.push(run.max_steps ? t("atlas.step_of", { step: whole(run.step), total: whole(run.max_steps) }) : t("atlas.step", { step: whole(run.step) }));
      if (run.state === "running" && run.steps_per_s) {
        const [rows, columns] = this.map.shape();
        parts.push(t("atlas.speed", { n: whole(run.steps_per_s * rows * columns) }));
      }
      if (run.message) parts.push(run.message);
    } else if (reading) parts.push(t("atlas.shipped", { step: whole(reading.step) }));
    setText(this.progress, parts.join(" · "));
  }

  #legend() {
    const { reading } = this.atlas;
    const found = reading ? counts(reading) : null;
    this.legend.replaceChildren(...STATES.map((state) => {
      const mark = h("canvas", { class: "atlas-mark", "aria-hidden": "true" });
      const ctx = sharp(mark, 20, 20);
      ctx.fillStyle = colour(state);
      ctx.globalAlpha = 0.3;
      ctx.fillRect(0, 0, 20, 20);
      ctx.globalAlpha = 1;
      drawMark(ctx, state, 10, 10, 6.5, getComputedStyle(this.canvas).color);
      return h("li", { title: t(`atlas.why.${state}`), dataset: { state } }, mark, t(`atlas.state.${state}`),
        found ? h("span", { class: "play-number atlas-count" }, String(found[state])) : null);
    }));
  }

  /** What changes once a second: counts, and what is told instead of the picture. */
  #write() {
    const { reading } = this.atlas;
    this.#legend();
    if (this.map.cursor) setText(this.readout, this.#sentence(this.map.cursor) ?? t("atlas.hint"));
    if (!reading) {
      this.canvas.setAttribute("aria-label", t("atlas.empty"));
      return;
    }
    const found = Object.entries(counts(reading)).filter(([, n]) => n > 0);
    const list = found.map(([state, n]) => `${n} ${t(`atlas.state.${state}`).toLowerCase()}`).join(", ");
    this.canvas.setAttribute("aria-label", t("atlas.alt", { step: whole(reading.step), list }));
    this.#writeTable();
  }

  #writeTable() {
    const { reading } = this.atlas;
    if (!this.text.open || !reading) return;
    const rows = reading.rows.map((_, up) => reading.rows.length - 1 - up);
    this.table.replaceChildren(h("table", {},
      h("caption", {}, t("atlas.table")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("atlas.corner")), reading.columns.map((value) => h("th", { scope: "col" }, rate(value))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, rate(reading.rows[row])),
        reading.columns.map((_, column) => h("td", {}, t(`atlas.state.${stateOf(reading, row, column)}`))))))));
  }
}

const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
