// The theatre: the picture and what becomes of it, two of them large under a divider, and on both
// sides of it all that there is to compare: a, G(a), the way back, what was lost, identity, partner.

import { errorLine, h, icon, press, setText } from "./explorer_dom.js";
import { shown } from "./decode.js";
import { Compare } from "./crossing_compare.js";
import { blank, drawPart, sceneOf } from "./crossing_scene.js";
import { BROUGHT } from "./crossing_state.js";
import { altOf, chosenName, formula, generators, nameOf } from "./crossing_words.js";
import { announce, emit, t } from "./store.js";

const WINGS = { left: ["input", "truth", "identity"], right: ["cycle", "residual", "patches"] };
const PAIRS = { // what the large picture compares when a part is chosen: left and right of the divider
  input: ["input", "output"], truth: ["truth", "output"], identity: ["input", "identity"],
  cycle: ["input", "cycle"], residual: ["residual", "cycle"],
};
const NUMBERS = { cycle: ["cycle_l1", "l1"], residual: ["residual_scale", "scale"], identity: ["identity_l1", "l1"], truth: ["truth_l1", "l1"], patches: ["patch_mean", "real"] };

export class Theatre {
  /** @param {import("./crossing_state.js").Crossing} lab */
  constructor(lab) {
    Object.assign(this, { lab, pair: "input", judged: false, scene: null, drawn: 0 });
    this.#build();
    lab.on("space", () => this.#space());
    lab.on("answer", (answer) => this.#answer(answer));
    lab.on("sheet", () => this.#draw(true));
    lab.on("past", () => this.#draw(true));
    lab.on("chosen", ({ by }) => this.#chosen(by));
    lab.on("busy", (busy) => this.element.setAttribute("aria-busy", String(busy)));
    lab.on("status", () => this.#status());
    lab.on("failed", ({ error, by }) => { if (!BROUGHT.includes(by)) this.failure.show(error); });
  }

  #build() {
    this.compare = new Compare({ onmove: () => emit("tried", { what: "divider" }) });
    this.message = h("p", { class: "cx-message" });
    this.compare.element.append(this.message);
    this.failure = errorLine();
    this.facts = h("p", { class: "play-note cx-facts play-number" });
    this.notes = h("div", { class: "cx-notes" });
    this.arrows = ["first", "second"].map((place) => {
      const name = h("b", { class: "cx-formula" });
      return { name, element: h("span", { class: `cx-arrow ${place}`, "aria-hidden": "true" }, name, icon("next")) };
    });
    const parts = Object.values(WINGS).flat();
    this.tiles = Object.fromEntries(parts.map((part) => [part, this.#tile(part)]));
    const wing = (side) => h("div", { class: `cx-wing ${side}` }, WINGS[side].map((part) => this.tiles[part].element));
    this.tools = h("div", { class: "cx-tools" });
    this.element = h("div", { class: "cx-theatre" },
      wing("left"), this.arrows[0].element,
      h("div", { class: "cx-hero" }, this.compare.element),
      this.arrows[1].element, wing("right"),
      h("div", { class: "cx-under" }, this.failure.element, this.tools, this.facts, this.notes));
    this.#words();
    this.#choose("input");
  }

  /** A small picture that can be chosen for the large one. */
  #tile(part) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const [name, sign, number] = [h("b"), h("i", { class: "cx-formula" }), h("span", { class: "play-number" })];
    const scale = part === "residual" ? h("span", { class: "cx-scale", "aria-hidden": "true" }) : null;
    const over = part === "patches" ? h("canvas", { class: "cx-tile-over", "aria-hidden": "true" }) : null;
    const element = h("button", { type: "button", class: `cx-tile cx-${part}`, "aria-pressed": "false", hidden: true, onclick: () => this.#press(part) },
      h("span", { class: "cx-thumb" }, h("span", { class: "cx-inner" }, canvas, over)), scale, h("span", { class: "cx-words" }, name, h("span", {}, sign, number)));
    return { element, canvas, over, scale, name, sign, number };
  }

  // ---- words ----------------------------------------------------------------------------------------

  /** Names and formulae of the present direction. */
  #words() {
    const { lab } = this;
    for (const [part, tile] of Object.entries(this.tiles)) {
      setText(tile.name, part === "input" ? nameOf(part, lab) : t(`crossing.tile_${part}`, lab.names()));
      setText(tile.sign, formula(part, lab.direction));
      tile.element.title = t(`crossing.help_${part}`, { ...lab.names(), formula: formula(part, lab.direction) });
    }
    generators(lab.direction).forEach((name, i) => setText(this.arrows[i].name, name));
  }

  #status() {
    const { lab } = this;
    this.element.dataset.status = lab.status;
    setText(this.message, lab.status === "empty" ? t("crossing.empty") : "");
    if (lab.status === "failed" || lab.status === "empty") this.#clear();
    if (lab.status === "failed") this.failure.show(lab.error);
  }

  #clear() {
    this.scene = null;
    this.compare.clear();
    for (const { canvas, element } of Object.values(this.tiles)) {
      blank(canvas);
      element.hidden = true;
    }
    this.facts.replaceChildren();
    this.notes.replaceChildren();
  }

  // ---- what is shown ----------------------------------------------------------------------------------

  #space() {
    this.failure.clear();
    this.#words();
    this.unseen = true; // the first picture of a model comes over the old one
  }

  #chosen(by) {
    if (by === "back") return;
    this.failure.clear();
    if (by === "fit") return;
    if (by !== "draw") this.#choose("input");
    this.unseen = by !== "draw";
  }

  /** Pad or camera is open beside the large picture, which shows its translation whole. */
  besides(way) {
    this.element.classList.toggle("with-own", Boolean(way));
    this.waitForDrawing(way === "draw");
    if (way) this.#choose("input");
    this.compare.restAt(way ? 0 : 50);
    this.#paint();
  }

  /** The pad is empty: what is shown is not of it. */
  waitForDrawing(on) {
    this.element.classList.toggle("awaiting", on);
    setText(this.message, on ? t("crossing.draw_hint") : "");
  }

  async #answer({ values, chosenAt }) {
    this.failure.clear();
    this.waitForDrawing(false);
    const moves = this.unseen && this.lab.answered && !this.lab.live;
    if (this.lab.answered) this.unseen = false;
    await this.#draw(false);
    if (moves) this.compare.sweep();
    this.#measure(chosenAt);
    if (moves) {
      const { from, to } = this.lab.names();
      announce(t("crossing.said", { name: chosenName(this.lab), from, to, cycle: shown(values.cycle_l1, 2) }));
    }
  }

  /** How long it took from the choice to the picture, for tests and benchmarks. */
  #measure(chosenAt) {
    if (!Number.isFinite(chosenAt) || chosenAt === this.measured) return;
    this.measured = chosenAt;
    requestAnimationFrame(() => { this.element.dataset.ms = (performance.now() - chosenAt).toFixed(0); });
  }

  /** Bring the pictures up to date; what comes late is left out. */
  async #draw(fresh) {
    const turn = (this.drawn += 1);
    const scene = await sceneOf(this.lab, fresh);
    if (turn !== this.drawn || !scene) return;
    this.scene = scene;
    this.#words();
    if (!scene.parts[PAIRS[this.pair][0]] || !scene.parts[PAIRS[this.pair][1]]) this.#choose("input");
    this.#paint();
  }

  #paint() {
    const { scene, lab } = this;
    if (!scene) return;
    for (const [part, tile] of Object.entries(this.tiles)) this.#paintTile(part, tile);
    const [width, height] = scene.shape;
    this.element.style.setProperty("--cx-ratio", `${width} / ${height}`);
    this.element.style.setProperty("--cx-wide", `${Math.min(100, (100 * width) / height)}%`);
    const [left, right] = PAIRS[this.pair];
    const side = (part) => ({ part: scene.parts[part], name: `${formula(part, lab.direction)} · ${nameOf(part, lab)}`, alt: altOf(part, lab) });
    const judged = this.judged && right === "output";
    this.compare.show({ left: side(left), right: side(right), overlay: judged ? scene.parts.patches : null });
    this.arrows[1].element.classList.toggle("hidden", !scene.parts.cycle);
    this.element.classList.toggle("past", Boolean(lab.past));
    this.#facts(scene);
    this.element.dataset.paints = Number(this.element.dataset.paints ?? 0) + 1;
  }

  #paintTile(part, tile) {
    const { scene } = this;
    const drawn = scene.parts[part];
    const coming = scene.partial && part !== "truth" && !tile.element.hidden;
    tile.element.hidden = !drawn && !coming;
    if (!drawn) {
      [tile.canvas, tile.over].filter(Boolean).forEach(blank);
      setText(tile.number, "");
      return;
    }
    drawPart(tile.canvas, part === "patches" ? scene.parts.output : drawn);
    if (tile.over) drawPart(tile.over, drawn);
    if (tile.scale) tile.scale.style.backgroundImage = `linear-gradient(90deg, ${(scene.values.residual_colours ?? ["transparent", "transparent"]).join()})`;
    const [value, unit] = NUMBERS[part] ?? [];
    const known = scene.values[value];
    setText(tile.number, typeof known === "number" ? t(`crossing.number_${unit}`, { value: shown(known, 2) }) : "");
  }

  #facts({ values }) {
    const { width, height, side, ms, truth_rank: rank, truth_of: of } = values;
    const size = width && height ? t("crossing.fact_size", { width, height }) : null;
    const saw = side ? t(this.lab.fit === "tiles" && this.lab.chosen.picture ? "crossing.fact_tiles" : "crossing.fact_side", { side }) : null;
    const time = typeof ms === "number" ? t("crossing.fact_ms", { ms: shown(ms, 2) }) : null;
    const found = rank ? t(rank === 1 ? "crossing.fact_found" : "crossing.fact_rank", { rank, of }) : null;
    const kept = this.lab.past && !this.lab.usual ? t("crossing.fact_past") : null;
    setText(this.facts, [kept, found, size, saw, time].filter(Boolean).join(" · "));
    this.notes.replaceChildren(...(values.notes ?? []).map((note) => h("p", { class: "play-note" }, note)));
  }

  // ---- choosing what is large ---------------------------------------------------------------------------

  #press(part) {
    if (part === "patches") {
      this.judge(!this.judged);
      return;
    }
    this.#choose(part);
    this.#paint();
    if (part === "cycle" || part === "residual") emit("tried", { what: "cycle" });
  }

  #choose(part) {
    this.pair = part;
    for (const key of Object.keys(PAIRS)) press(this.tiles[key].element, key === part);
  }

  /** Lay D's opinion of every patch over the translation, or take it away. */
  judge(on) {
    this.judged = on;
    press(this.tiles.patches.element, on);
    if (on && PAIRS[this.pair][1] !== "output") this.#choose("input");
    this.#paint();
    this.onjudge?.(on);
    if (on) emit("tried", { what: "patches" });
  }

  /** What crosses over now, as it was drawn; null before there is a picture. */
  input() {
    const { canvas } = this.tiles.input;
    return this.scene ? canvas : null;
  }
}
