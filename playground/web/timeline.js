/** The timeline: drag back to see how the map formed, play it, take it along, fork from it. */

import { announce, base, command, emit, on, own, state, t } from "./store.js";
import { calm, ensureStyles, fill, h, paced, setText } from "./curves_dom.js";
import { whole } from "./curves_format.js";
import { active, history, onHistory } from "./curves_history.js";
import { attempt, origin, startInstead } from "./curves_settings.js";
import { Frames } from "./timeline_frames.js";
import { strip } from "./timeline_film.js";

const FRAME_MS = 240;
const CALM_MS = 1000;
const UPDATE_MS = 400; // what the run does; what the person does is shown at once

/** Mount the timeline. @param {HTMLElement} element */
export function mount(element) {
  ensureStyles();
  new Timeline(element);
}

class Timeline {
  constructor(element) {
    this.index = null; // the frame that is shown; null = live
    this.timer = null;
    this.update = paced(() => this.#update(), UPDATE_MS);
    this.frames = new Frames(() => this.#framesChanged());
    this.#build(element);
    for (const type of ["run", "reset", "source"]) on(type, () => this.update());
    on("reset", () => this.#live());
    on("frame", (frame) => this.#frameSet(frame));
    onHistory((what) => what === "mark" && this.update());
    new ResizeObserver(() => this.update()).observe(this.film.element);
    this.update();
  }

  #build(element) {
    this.film = strip(own.TIMELINE);
    this.slider = h("input", {
      type: "range", min: "0", max: "0", step: "1", value: "0", class: "mon-slider",
      "aria-label": t("monitor.timeline_slider"),
      oninput: () => this.#show(Number(this.slider.value)), onkeydown: (e) => e.stopPropagation(),
    });
    this.flags = h("span", { class: "mon-flags", "aria-hidden": "true" });
    this.needle = h("span", { class: "mon-needle", "aria-hidden": "true" });
    this.play = this.#button("monitor.play", () => this.#togglePlay(), "monitor.play_help");
    this.label = h("output", { class: "mon-step play-number" });
    this.live = this.#button("monitor.back_live", () => this.#live());
    this.fork = this.#button("monitor.save_now", () => attempt(() => this.#fork()));
    this.download = h("a", { class: "play-button small", download: true, title: t("monitor.film_help") }, t("monitor.film"));
    this.empty = h("p", { class: "play-note" }, t("monitor.timeline_empty"));
    this.full = h("div", { class: "mon-timeline-body" }, this.play,
      h("div", { class: "mon-track" }, this.film.element, this.flags, this.needle, this.slider), this.label,
      h("div", { class: "mon-timeline-acts" }, this.live, this.fork, this.download));
    this.root = h("section", { class: "mon-timeline play-card", "aria-label": t("monitor.timeline") }, this.empty, this.full);
    fill(element, this.root);
  }

  #button(key, act, help) {
    return h("button", { type: "button", class: "play-button small", onclick: act, title: help && t(help) }, t(key));
  }

  // ---- what is shown ----

  /** Show a kept frame; the last position of the slider is the present. */
  #show(index) {
    if (index > this.frames.last) return this.#live();
    const frame = this.frames.list[index];
    this.index = index;
    emit("frame", { step: frame.step, views: frame.views });
    this.#update();
  }

  #live() {
    this.#stop();
    if (this.index === null) return;
    this.index = null;
    if (state.frame) emit("frame", null);
    this.#update();
  }

  /** Someone else sent the explorer back to the present. */
  #frameSet(frame) {
    if (frame || this.index === null) return;
    this.#stop();
    this.index = null;
    this.#update();
  }

  #framesChanged() {
    if (this.index !== null && state.frame) this.index = this.frames.indexAt(state.frame.step);
    this.update?.();
  }

  // ---- playing ----

  #togglePlay() {
    if (this.timer) return this.#stop();
    const first = this.index === null || this.index >= this.frames.last ? 0 : this.index;
    this.#show(first);
    this.timer = setInterval(() => this.#next(), calm() ? CALM_MS : FRAME_MS);
    this.#update();
  }

  #next() {
    if (document.hidden || !state.visible) return;
    if (this.index === null || this.index >= this.frames.last) {
      this.#live();
      announce(t(active(state.run) ? "monitor.timeline_live" : "monitor.timeline_end", { step: whole(state.run?.step) }));
    } else this.#show(this.index + 1);
  }

  #stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.#update();
  }

  // ---- forking ----

  #shownStep() {
    return this.index === null ? state.run?.step ?? 0 : this.frames.list[this.index].step;
  }

  /** The newest checkpoint at or before the step that is shown. */
  #checkpoint() {
    const steps = (state.run?.checkpoints ?? []).map((c) => c.step).filter((s) => s <= this.#shownStep());
    return steps.length ? Math.max(...steps) : null;
  }

  async #fork() {
    const { run } = state;
    const step = this.#checkpoint();
    if (step === null) return command("save");
    const { max_steps: most } = run;
    return startInstead({
      ...origin(run), config: { ...run.config }, resume: { run: run.id, step },
      max_steps: most == null ? null : Math.max(most, step + 500),
      title: t("monitor.fork_title", { step: whole(step) }),
    });
  }

  // ---- drawing ----

  #update() {
    const { run } = state;
    const count = this.frames.list.length;
    this.root.hidden = !run;
    if (!run) return;
    this.empty.hidden = count > 1;
    this.full.hidden = count < 2;
    if (count < 2) return;
    this.film.update(this.frames.list);
    this.#updateSlider(count);
    this.#updateFlags(count);
    this.#updateButtons(run);
  }

  #updateSlider(count) {
    const position = this.index ?? count;
    this.slider.max = String(count);
    this.slider.value = String(position);
    const text = this.#positionText();
    this.slider.setAttribute("aria-valuetext", text);
    setText(this.label, text);
    this.needle.style.left = `${(100 * position) / count}%`;
    this.root.classList.toggle("past", this.index !== null);
  }

  /** What went wrong stands where it happened. */
  #updateFlags(count) {
    const marks = history.marks.filter((m) => m.kind === "alert" || m.kind === "diverged");
    const key = `${count} ${marks.map((m) => m.step)}`;
    if (key === this.flagged) return;
    this.flagged = key;
    fill(this.flags, marks.map(({ kind, step, event }) => h("i", {
      class: `mon-flag ${kind}`, title: event.sentence, style: { left: `${(100 * this.frames.place(step)) / count}%` },
    })));
  }

  #positionText() {
    const last = whole(state.run.step);
    if (this.index !== null) return t("monitor.timeline_at", { step: whole(this.#shownStep()), last });
    return t(active(state.run) ? "monitor.timeline_live" : "monitor.timeline_end", { step: last });
  }

  #updateButtons(run) {
    const playing = Boolean(this.timer);
    setText(this.play, t(playing ? "monitor.stop_playing" : "monitor.play"));
    this.play.setAttribute("aria-pressed", String(playing));
    setText(this.live, t(active(run) ? "monitor.back_live" : "monitor.back_end"));
    this.live.hidden = this.index === null;
    this.download.href = `${base}runs/${encodeURIComponent(run.id)}/film.webp?view=${own.TIMELINE.view}`;
    this.#updateFork(run);
  }

  #updateFork(run) {
    const step = this.#checkpoint();
    const mine = run.owner_is_you !== false;
    const savable = step === null && mine && active(run) && this.index === null;
    this.fork.disabled = step === null && !savable;
    setText(this.fork, this.#forkLabel(step, savable));
    this.fork.title = step === null ? "" : t("monitor.fork_help", { step: whole(step) });
  }

  #forkLabel(step, savable) {
    if (savable) return t("monitor.save_now");
    if (step === null) return t("monitor.fork_none", { step: whole(this.#shownStep()) });
    return t("monitor.fork_at", { step: whole(step) });
  }
}
