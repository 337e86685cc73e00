// The remedy for hidden messages: noise on the translation before the way back, while it trains.

import { debounce, h, press, setText, slider, svg } from "./explorer_dom.js";
import { button } from "./dom.js";
import { runExplored } from "./crossing_terms.js";
import { number } from "./curves_format.js";
import { active, checkpointShown } from "./curves_history.js";
import { attempt } from "./curves_settings.js";
import { forkCheckpoint } from "./remedies.js";
import { applySettings, command, emit, on, settings, state, t } from "./store.js";

const USUAL_SD = 8; // of 255; from experience
const STEPS = 1500;
const SEND_MS = 200;
const MOST = 60; // measurements that are drawn
const REPAIRED = 0.75; // of the ratio that it had without noise
const GOOD = 1.1; // a ratio that needs no repair
const SIZE = { width: 220, height: 56, pad: 4 };

export class RemedyCard {
  /** @param {import("./crossing_state.js").Crossing} lab */
  constructor(lab) {
    Object.assign(this, { lab, sd: USUAL_SD, measured: [], before: null });
    this.#build();
    this.send = debounce((value) => attempt(() => command("set", { field: "cycle_noise", value })), SEND_MS);
    for (const type of ["run", "source", "changed"]) on(type, () => this.#draw());
  }

  #build() {
    this.said = h("p");
    this.amount = slider({
      label: t("cyclegan.remedy_sd"), min: 1, max: 32, step: 1, value: this.sd, format: (v) => t("cyclegan.noise_sd", { value: v }),
      oninput: (v) => { this.sd = v; if (this.#on()) this.#set(v); },
    });
    this.switch = h("button", { type: "button", class: "play-button small cy-switch", onclick: () => this.#toggle() }, h("i", { "aria-hidden": "true" }), h("span", {}, t("cyclegan.remedy_switch")));
    this.go = button(t("cyclegan.remedy_go"), () => attempt(() => this.#start()), { kind: "primary" });
    this.line = svg("polyline", { fill: "none", "stroke-width": 2 });
    this.base = svg("line", { "stroke-dasharray": "3 3" });
    this.chart = svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, class: "cy-ratio-chart", role: "img" }, this.base, this.line);
    this.course = h("p", { class: "play-note" });
    this.element = h("section", { class: "cy-box cy-remedy" }, h("h4", { class: "x-sub" }, t("cyclegan.remedy")), this.said,
      this.amount.element, h("div", { class: "x-line" }, this.switch, this.go), this.chart, this.course);
    this.#draw();
  }

  /** Another model is explored: the ratio of the model that a run came from stays as its baseline. */
  space() {
    const { run, source } = state;
    const fork = source?.run && run?.id === source.run && run.parent?.checkpoint;
    if (fork && this.measured.length) this.before = this.measured.at(-1).ratio;
    else if (!fork) this.before = null;
    this.measured = [];
    this.#draw();
  }

  /** A ratio was measured; ratios of one picture and one amount of noise make a course. */
  take(ratio, { step, amount, what }) {
    const key = JSON.stringify([what, amount, this.lab.direction]);
    if (key !== this.key) this.measured = [];
    this.key = key;
    if (!Number.isFinite(ratio)) return;
    this.measured = [...this.measured.filter((m) => m.step !== step), { step, ratio }].slice(-MOST);
    const first = this.before ?? this.measured[0].ratio;
    if (this.#on() && ratio < Math.max(REPAIRED * first, GOOD) && this.told !== state.run?.id) {
      this.told = state.run?.id;
      emit("tried", { what: "unhidden", before: first, now: ratio });
    }
    this.#draw();
  }

  // ---- what the person can do ------------------------------------------------------------------------

  #running() {
    const run = runExplored();
    return run && active(run) && run.owner_is_you && run.model === "cyclegan" ? run : null;
  }

  #on() {
    return (this.#running()?.config.cycle_noise ?? 0) > 0;
  }

  #set(value) {
    if (settings().model === "cyclegan") applySettings({ config: { cycle_noise: value } });
    this.send(value);
  }

  #toggle() {
    this.#set(this.#on() ? 0 : this.sd);
    emit("tried", { what: "noise" });
  }

  #start() {
    const checkpoint = checkpointShown();
    emit("tried", { what: "noise" });
    return forkCheckpoint(checkpoint, { ...checkpoint.config, cycle_noise: this.sd, constant_steps: 0, decay_steps: 0 },
      { max_steps: (checkpoint.step ?? 0) + STEPS, title: t("cyclegan.remedy_title", { sd: this.sd }) });
  }

  // ---- drawing ------------------------------------------------------------------------------------------

  #draw() {
    const run = this.#running();
    const checkpoint = run ? null : checkpointShown();
    const cycle = (this.lab.model ?? "cyclegan") === "cyclegan";
    const can = cycle && Boolean(run || checkpoint);
    setText(this.said, t(cycle ? can ? "cyclegan.remedy_what" : "cyclegan.remedy_later" : "cyclegan.remedy_pix2pix"));
    this.amount.element.hidden = !can;
    this.switch.hidden = !run;
    press(this.switch, this.#on());
    this.go.hidden = !(cycle && checkpoint);
    this.#drawCourse();
  }

  #drawCourse() {
    const points = this.measured.filter((m) => m.step !== null);
    this.chart.toggleAttribute("hidden", points.length < 2);
    const last = this.measured.at(-1);
    const text = this.before !== null && last ? t("cyclegan.remedy_course", { before: number(this.before), now: number(last.ratio) }) : "";
    setText(this.course, text);
    if (points.length < 2) return;
    const { width, height, pad } = SIZE;
    const most = Math.max(...points.map((p) => p.ratio), this.before ?? 0, 1.2);
    const [from, to] = [points[0].step, points.at(-1).step];
    const x = (step) => pad + ((width - 2 * pad) * (step - from)) / Math.max(to - from, 1);
    const y = (ratio) => height - pad - ((height - 2 * pad) * (ratio - 1)) / Math.max(most - 1, 0.1);
    this.line.setAttribute("points", points.map((p) => `${x(p.step).toFixed(1)},${y(p.ratio).toFixed(1)}`).join(" "));
    const base = y(this.before ?? points[0].ratio).toFixed(1);
    for (const [name, value] of Object.entries({ x1: pad, x2: width - pad, y1: base, y2: base })) this.base.setAttribute(name, value);
    this.chart.setAttribute("aria-label", t("cyclegan.remedy_chart", { first: number(points[0].ratio), last: number(last.ratio) }));
  }
}
