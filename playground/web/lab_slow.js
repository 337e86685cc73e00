// Slow motion: one step in its ten parts, with the numbers of that very step; then the step is taken.

import { readArrays } from "./decode.js";
import { button, calm, errorLine, h, icon, press, setText, slider } from "./explorer_dom.js";
import { stepBy, paused } from "./lab_steps.js";
import { partsOf } from "./lab_slow_parts.js";
import { announce, emit, explore, on, state, t } from "./store.js";

const PART_MS = 3600; // at speed 1: time to read two lines
const SPEEDS = { min: 0.25, max: 4, step: 0.25 };

export class Slow {
  /**
   * @param {import("./lab_state.js").Lab} lab
   * @param {{picture: object, game: object}} views
   */
  constructor(lab, { picture, game }) {
    Object.assign(this, { lab, picture, game, speed: 1, index: 0, parts: null, timer: 0 });
    this.#build();
    on("visible", (seen) => { if (!seen) this.#rest(); });
    on("source", () => { if (!this.stepping) this.close(); });
    on("run", (run) => { if (run?.state === "running" && this.parts && !this.stepping) this.close(); });
  }

  #build() {
    this.dots = h("div", { class: "lab-dots", role: "group", "aria-label": t("lab.slow_parts") });
    this.title = h("h4", { class: "lab-slow-title" });
    this.words = h("p", { class: "lab-slow-words" });
    const move = (symbol, label, act) => button({ symbol, label: t(label), kind: "small", onclick: act });
    this.play = h("button", { type: "button", class: "play-button small", onclick: () => this.#toggle() });
    this.rate = slider({
      label: t("lab.slow_speed"), ...SPEEDS, value: this.speed, format: (v) => t("lab.slow_times", { n: v }),
      oninput: (v) => { this.speed = v; if (this.timer) this.#plan(); },
    });
    this.failure = errorLine();
    const back = move("next", "lab.slow_back", () => { this.#rest(); this.#go(-1); });
    back.classList.add("lab-turned");
    const next = move("next", "lab.slow_next", () => { this.#rest(); this.#go(1); });
    const close = move("close", "lab.slow_close", () => this.close());
    close.classList.add("quiet");
    this.element = h("div", { class: "lab-slow", hidden: true, role: "group", "aria-label": t("lab.slow_title") },
      h("div", { class: "lab-slow-head" }, this.dots, close), this.title, this.words, this.failure.element,
      h("div", { class: "lab-slow-tools" }, back, this.play, next, this.rate.element));
  }

  get open() {
    return !this.element.hidden;
  }

  /** Begin with the first part of the step that comes next. */
  async start() {
    this.failure.clear();
    this.element.hidden = false;
    this.onopen?.(true);
    setText(this.title, t("lab.slow_waiting"));
    setText(this.words, "");
    try {
      if (state.run?.state === "running" && state.run.owner_is_you && state.source?.run) await this.#alone(paused);
      await this.#load();
      emit("tried", { what: "slow" });
      if (!calm()) this.#plan();
      this.#drawPlay();
    } catch (error) {
      this.#failed(error);
    }
  }

  close() {
    if (!this.open) return;
    this.#rest();
    this.parts = null;
    this.element.hidden = true;
    this.picture.stage = null;
    this.game.shown = this.game.numbers = null;
    this.game.light(null);
    this.picture.request();
    this.onopen?.(false);
  }

  /** While the run moves because of us, its moving is no reason to close. */
  async #alone(work) {
    this.stepping = true;
    try {
      return await work();
    } finally {
      this.stepping = false;
    }
  }

  /** Whether the step that is shown is one that can be taken: a saved model only rehearses. */
  #real() {
    const { run, source } = state;
    return Boolean(run?.owner_is_you && source?.run === run.id && run.state === "paused");
  }

  async #load() {
    const payload = await explore("step_parts", {}, { latest: "lab-parts" });
    this.step = { arrays: readArrays(payload), values: payload.values };
    const shown = state.run && state.source?.run === state.run.id ? state.run : null;
    const saved = state.catalogue.checkpoints.find((c) => c.name === state.source?.checkpoint);
    this.parts = partsOf(this.step, (shown ?? saved)?.config?.loss ?? "nonsaturating", this.#real());
    this.#drawDots();
    this.#show(0);
  }

  // ---- from part to part --------------------------------------------------------------------------

  async #go(way) {
    if (!this.parts || this.stepping) return;
    const next = this.index + way;
    if (next < 0) return;
    if (next < this.parts.length) this.#show(next);
    else await this.#take();
  }

  /** All parts were seen: take the real step, and begin with the next one. */
  async #take() {
    emit("tried", { what: "slow_end" });
    try {
      if (this.#real()) await this.#alone(() => stepBy(state.run.config.trained ?? "both"));
      await this.#load();
      if (this.timer) this.#plan();
    } catch (error) {
      this.#failed(error);
    }
  }

  #show(index) {
    this.index = index;
    const part = this.parts[index];
    part.stage.show.still = calm();
    part.stage.show.begin(performance.now());
    part.stage.show.again = () => this.picture.request();
    this.picture.stage = part.stage;
    this.picture.request();
    this.game.numbers = part.numbers;
    this.game.shown = part.shown;
    this.game.light(part.lit);
    setText(this.title, t(`lab.slow_${part.side}_${part.key}_title`));
    setText(this.words, part.words);
    this.element.dataset.side = part.side;
    this.element.dataset.part = `${part.side}-${part.key}`;
    [...this.dots.children].forEach((dot, i) => {
      dot.classList.toggle("past", i < index);
      press(dot, i === index);
    });
    if (!this.timer) announce(`${this.title.textContent} ${part.words}`);
  }

  #drawDots() {
    this.dots.replaceChildren(...this.parts.map(({ side, key }, i) => h("button", {
      type: "button", class: `lab-dot ${side}`, title: t(`lab.slow_${side}_${key}_title`), "aria-label": t(`lab.slow_${side}_${key}_title`),
      onclick: () => { this.#rest(); this.#show(i); },
    })));
  }

  // ---- playing ------------------------------------------------------------------------------------

  #toggle() {
    if (this.timer) this.#rest();
    else {
      this.#plan();
      this.#drawPlay();
    }
  }

  #plan() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      await this.#go(1);
      if (this.timer) this.#plan();
    }, PART_MS / this.speed);
  }

  #rest() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.#drawPlay();
  }

  #drawPlay() {
    const label = t(this.timer ? "lab.slow_pause" : "lab.slow_play");
    this.play.replaceChildren(icon(this.timer ? "pause" : "play"), h("span", {}, label));
  }

  #failed(error) {
    this.#rest();
    setText(this.title, "");
    this.failure.show(error);
  }
}
