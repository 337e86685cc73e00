// What the run writes as it learns: the newest sample, and earlier ones as the rungs of a ladder.

import { debounce, ensureStyles, h, setText, slider } from "./explorer_dom.js";
import { paced } from "./curves_dom.js";
import { number, whole } from "./curves_format.js";
import { active, latest, onHistory, seriesOf } from "./curves_history.js";
import { fill } from "./dom.js";
import { Frames } from "./timeline_frames.js";
import { emit, look, on, state, t } from "./store.js";

const VIEW = "sample";
const RUNGS = 8;
const LOOK_MS = 400;
const DRAW_MS = 250;
const LINE = 150; // characters of a rung
const PROMPT = 200; // characters
const TEMPERATURE = 0.8;

/** Mount the card. @param {HTMLElement} element */
export function mount(element) {
  ensureStyles("text_inside.css");
  new Sample(element);
}

/** A few lines of a sample, too small to be read: their lengths are what is seen. */
export function thumbnail({ values }) {
  const lines = (values?.text ?? "").split("\n").slice(0, 7);
  return h("span", { class: "ti-thumb" }, lines.map((line) => h("i", {}, line.slice(0, 24) || "\u00a0")));
}

class Sample {
  constructor(element) {
    Object.assign(this, { live: null, opened: new Set() });
    this.frames = new Frames(() => this.draw?.());
    this.draw = paced(() => this.#draw(), DRAW_MS);
    this.#build(element);
    this.send = debounce(() => this.#send(), LOOK_MS);
    on("preview", (event) => this.#take(event));
    for (const type of ["run", "status", "source", "frame"]) on(type, () => this.draw());
    on("reset", () => { this.live = null; this.opened.clear(); this.draw(); });
    onHistory((what) => what === "metrics" && this.draw());
    this.draw();
  }

  #build(element) {
    this.badge = h("span", { class: "ti-badge" });
    this.prompt = h("input", {
      type: "text", class: "x-number ti-prompt", maxlength: String(PROMPT), placeholder: t("text_training.sample.prompt_none"), "aria-label": t("text_training.sample.prompt"),
      oninput: () => this.send(), onkeydown: (event) => event.stopPropagation(),
    });
    this.temperature = slider({ label: t("text_training.sample.temperature"), min: 0, max: 2, step: 0.1, value: TEMPERATURE, format: (v) => v.toFixed(1), oninput: () => this.send() });
    this.text = h("div", { class: "ti-sample", role: "region", tabindex: "0", "aria-label": t("text_training.sample.text") });
    this.facts = h("p", { class: "play-note ti-facts" });
    this.ladder = h("ol", { class: "ti-ladder", "aria-label": t("text_training.sample.ladder") });
    this.controls = h("div", { class: "x-line ti-sample-controls" }, h("label", { class: "x-field ti-grow" }, h("span", {}, t("text_training.sample.prompt")), this.prompt), this.temperature.element);
    this.rungs = h("div", { class: "ti-rungs" }, h("h4", { class: "x-sub" }, t("text_training.sample.ladder")), this.ladder);
    this.root = h("section", { class: "play-card x-explorer ti-sample-card", "aria-label": t("text_training.sample.title"), hidden: true },
      h("div", { class: "x-head" }, h("h3", { class: "play-title" }, t("text_training.sample.title")), this.badge, h("i", { class: "ti-spacer" }), this.controls),
      h("div", { class: "ti-written" }, this.text, this.rungs), this.facts);
    fill(element, this.root);
  }

  #take({ name, payload, step }) {
    if (name !== VIEW || !payload.values) return;
    this.live = { step, ...payload.values };
    this.draw();
  }

  /** Tell the run what to write after, and how boldly. */
  #send() {
    look(VIEW, { prompt: this.prompt.value || "\n", temperature: Number(this.temperature.input.value) });
    emit("tried", { what: "sample_prompt" });
  }

  // ---- drawing --------------------------------------------------------------------------------------

  /** The sample of the frame that the timeline shows, else the newest. */
  #now() {
    const past = state.frame?.views?.[VIEW];
    if (past) return { step: state.frame.step, past: true, ...past.values };
    const last = this.frames.list.at(-1);
    return this.live ?? (last?.views[VIEW] ? { step: last.step, ...last.views[VIEW].values } : null);
  }

  #draw() {
    const { run } = state;
    const shown = run && state.source?.run === run.id ? this.#now() : null;
    this.root.hidden = !shown;
    if (!shown) return;
    this.#drawText(shown);
    this.controls.hidden = !(active(run) && run.owner_is_you !== false);
    const kind = shown.past ? "past" : active(run) ? "live" : "";
    this.badge.className = `ti-badge ${kind}`;
    setText(this.badge, t(`text_training.sample.at_${kind || "end"}`, { step: whole(shown.step) }));
    setText(this.facts, this.#facts(shown));
    this.#drawLadder(shown);
  }

  #drawText({ prompt, text, step }) {
    const key = `${step} ${text}`;
    if (this.drawn === key) return;
    this.drawn = key;
    const given = prompt?.trim() ? prompt : "";
    fill(this.text, given ? h("span", { class: "ti-given" }, given) : null, given ? text : text.trimStart());
  }

  #facts({ step }) {
    const loss = nearest("test", "nats_per_character", step) ?? nearest("train", "nats_per_character", step);
    const copied = state.frame ? nearest("monitor", "copied_run", step) : latest("monitor", "copied_run");
    return [loss === null ? "" : t("text_training.sample.nats", { nats: number(loss), choices: number(Math.exp(loss)) }), copied === null ? "" : t("text_training.sample.copied", { n: whole(copied) })].filter(Boolean).join(" ");
  }

  #drawLadder(shown) {
    const kept = this.frames.list.filter((frame) => frame.views[VIEW]);
    const chosen = rungs(kept);
    this.rungs.hidden = chosen.length < 2;
    const key = `${chosen.map((frame) => frame.step)} ${[...this.opened]} ${shown.step} ${history(chosen)}`;
    if (key === this.laddered) return;
    this.laddered = key;
    fill(this.ladder, chosen.map((frame) => this.#rung(frame, frame.step === shown.step)));
  }

  #rung({ step, views }, now) {
    const { text } = views[VIEW].values;
    const open = this.opened.has(step);
    const loss = nearest("test", "nats_per_character", step);
    return h("li", { class: now ? "now" : "" }, h("button", {
      type: "button", class: "ti-rung", "aria-expanded": String(open),
      onclick: () => { if (!this.opened.delete(step)) this.opened.add(step); emit("tried", { what: "ladder" }); this.#draw(); },
    }, h("span", { class: "play-number ti-rung-step" }, t("text_training.sample.step", { step: whole(step) })),
    h("span", { class: "ti-rung-text" }, open ? text.trim() : text.trim().replace(/\s*\n\s*/g, " ⏎ ").slice(0, LINE)),
    h("span", { class: "play-number ti-rung-loss", title: t("text_training.sample.loss_title") }, loss === null ? "" : number(loss))));
  }
}

/** Frames whose steps are about evenly spaced on a logarithmic scale, first and last among them. */
function rungs(frames) {
  if (frames.length <= RUNGS) return frames;
  const logs = frames.map((frame) => Math.log(1 + frame.step));
  const [first, last] = [logs[0], logs.at(-1)];
  const wanted = Array.from({ length: RUNGS }, (_, i) => first + (i * (last - first)) / (RUNGS - 1));
  const nearestTo = (at) => logs.reduce((best, log, i) => (Math.abs(log - at) < Math.abs(logs[best] - at) ? i : best), 0);
  return [...new Set(wanted.map(nearestTo))].map((i) => frames[i]);
}

/** Whether losses have come for the rungs: then they are written. */
const history = (frames) => frames.filter(({ step }) => nearest("test", "nats_per_character", step) !== null).length;

/** A metric at a step, or null when nothing was measured near it. */
function nearest(split, name, step) {
  const series = seriesOf(split, name);
  if (!series?.length) return null;
  const i = series.nearest(step);
  const gap = Math.abs(series.x[i] - step);
  return gap <= Math.max(20, 0.35 * step) ? series.y[i] : null;
}
