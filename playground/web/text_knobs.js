// How the next token is drawn: the knobs under the box.

import { button, h, numberField, slider } from "./explorer_dom.js";
import { KNOBS } from "./text_state.js";
import { emit, t } from "./store.js";

const SHAPING = ["temperature", "top_k", "top_p", "repetition_penalty"];
const SEEDS = 100_000; // a die has so many sides

/** The knobs of the box; they follow what a link or a lesson sets. */
export class Knobs {
  /** @param {import("./text_state.js").Writing} lab */
  constructor(lab) {
    this.lab = lab;
    this.parts = Object.fromEntries([...SHAPING, "length"].map((name) => [name, this.#slider(name)]));
    this.parts.seed = this.#seed();
    this.reset = button({ text: t("text.knobs_reset"), kind: "small quiet", onclick: () => this.#reset() });
    this.element = h("div", { class: "tx-knobs", role: "group", "aria-label": t("text.knobs") }, Object.values(this.parts).map(({ element }) => element), this.reset);
    lab.on("knobs", ({ name }) => this.#set(name));
    this.#offer();
  }

  #slider(name) {
    const { min, max, step } = KNOBS[name];
    const made = slider({
      label: t(`text.knob_${name}`), min, max, step, value: this.lab.knobs[name], format: (value) => formatted(name, value),
      oninput: (value) => { this.lab.turn(name, value); emit("tried", { what: name, value }); },
    });
    made.element.title = t(`text.knob_${name}_help`);
    made.element.dataset.knob = name;
    return made;
  }

  #seed() {
    const { min, max } = KNOBS.seed;
    const field = numberField({ label: t("text.knob_seed"), value: this.lab.knobs.seed, step: 1, min, max, onchange: (value) => this.lab.turn("seed", whole(value, min, max)) });
    const dice = button({ symbol: "dice", label: t("text.roll"), onclick: () => this.lab.turn("seed", Math.floor(Math.random() * SEEDS)) });
    field.element.title = t("text.knob_seed_help");
    return { element: h("div", { class: "x-line tx-seed", dataset: { knob: "seed" } }, field.element, dice), set: (value) => { field.input.value = value; } };
  }

  #set(name) {
    this.parts[name]?.set(this.lab.knobs[name]);
    this.#offer();
  }

  #reset() {
    for (const name of SHAPING) this.lab.turn(name, KNOBS[name].value);
  }

  #offer() {
    this.reset.style.visibility = SHAPING.some((name) => this.lab.knobs[name] !== KNOBS[name].value) ? "" : "hidden";
  }
}

const whole = (value, min, max) => Math.min(max, Math.max(min, Math.round(value)));

function formatted(name, value) {
  if (name === "length") return t("text.tokens", { n: value });
  if (name === "temperature" && value === 0) return t("text.greedy");
  const off = { top_k: 0, top_p: 1, repetition_penalty: 1 }[name];
  if (value === off) return t("text.off");
  return name === "top_k" ? String(value) : value.toFixed(2);
}
