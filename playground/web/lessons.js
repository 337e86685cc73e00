/** "Try this", "Break it", "Repair it": sentences that set the controls, ticked when it has happened. */

import {
  announce, applySettings, idOf, on, own, presetConfig, presetOf, state, t, useCheckpoint,
} from "./store.js";
import { ensureStyles, fill, h, keep, kept, setText } from "./curves_dom.js";
import { number, whole } from "./curves_format.js";
import { onHistory, subject } from "./curves_history.js";
import { sentence } from "./help_terms.js";
import { linked, words } from "./lessons_link.js";
import { pointTo } from "./lessons_places.js";

/**
 * @typedef {object} Moment what has just happened
 * @property {string} type "tried", "metrics", "changed", "alert" or "status"
 * @property {object} detail the event
 * @property {object|null} run the attached run
 * @property {string|null} model key of the model that is explored
 *
 * @typedef {object} Lesson
 * @property {string} key its strings are lessons.<key>.do and lessons.<key>.why
 * @property {"try"|"break"|"repair"|"linked"} kind
 * @property {string} [text] a lesson link's own words, ticked by hand
 * @property {string} [preset] the settings that a click sets
 * @property {object} [settings] further settings
 * @property {string} [checkpoint] what a click opens in the explorer
 * @property {string} place what a click points to
 * @property {(moment: Moment) => boolean} done
 */

const SHOWN = 3;
const SHOWN_NARROW = 1;
const NARROW_PX = 520;

/** Mount the lessons. @param {HTMLElement} element */
export function mount(element) {
  ensureStyles();
  new Lessons(element);
}

class Lessons {
  constructor(element) {
    const link = linked();
    this.linked = Boolean(link);
    this.kept = link ? `${idOf("lessons")}-${link.key}` : idOf("lessons");
    this.lessons = link?.lessons ?? own.LESSONS;
    this.kinds = [...new Set(this.lessons.map((lesson) => lesson.kind))];
    const stored = kept(localStorage, this.kept, {});
    this.done = stored.done ?? {}; // key -> the numbers at that moment
    this.kind = this.kinds.includes(stored.kind) ? stored.kind : this.kinds[0];
    this.folded = Boolean(stored.folded);
    this.all = false;
    this.fresh = null; // the lesson done last, whose explanation is open
    this.open = null; // a done lesson that was clicked to read its explanation again
    this.#build(element);
    this.#listen();
    this.#draw();
  }

  #build(element) {
    this.tabs = this.kinds.map((kind) => h("button", {
      type: "button", class: "mon-lesson-tab", dataset: { kind }, onclick: () => this.#choose(kind),
    }));
    this.more = h("button", { type: "button", class: "mon-chip", onclick: () => this.#toggle("all") });
    this.again = h("button", { type: "button", class: "mon-chip", onclick: () => this.#startOver() }, t("lessons.start_over"));
    this.fold = h("button", { type: "button", class: "mon-fold-button", onclick: () => this.#toggle("folded") });
    this.list = h("ul", { class: "mon-lesson-list", id: idOf("lesson-list") });
    this.fold.setAttribute("aria-controls", this.list.id);
    this.root = h("section", { class: "mon-lessons play-card", "aria-label": t("lessons.title") },
      h("div", { class: "mon-lesson-head" }, this.tabs, h("span", { class: "mon-spacer" }), this.again, this.more, this.fold),
      this.list);
    fill(element, this.root);
  }

  #listen() {
    for (const type of ["tried", "changed", "alert", "status"]) on(type, (detail) => this.#moment(type, detail));
    onHistory((what) => what === "metrics" && this.#moment("metrics", null));
    let narrow = null;
    new ResizeObserver(() => {
      const now = this.root.clientWidth < NARROW_PX;
      if (now === narrow) return;
      narrow = now;
      this.#draw();
    }).observe(this.root);
  }

  #moment(type, detail) {
    const moment = { type, detail, run: state.run, model: subject()?.model ?? null };
    for (const lesson of this.lessons) {
      if (!(lesson.key in this.done) && lesson.done(moment)) this.#complete(lesson);
    }
  }

  #complete(lesson) {
    this.done[lesson.key] = own.numbersNow(state.run);
    this.fresh = lesson.key;
    this.open = null;
    this.kind = lesson.kind;
    this.#save();
    this.#draw();
    announce(t("lessons.done", { what: words(lesson), why: this.#why(lesson) }));
  }

  #choose(kind) {
    this.kind = kind;
    this.folded = false;
    this.all = false;
    this.#save();
    this.#draw();
  }

  #toggle(name) {
    this[name] = !this[name];
    this.#save();
    this.#draw();
  }

  #startOver() {
    this.done = {};
    this.fresh = this.open = null;
    this.#save();
    this.#draw();
  }

  #save() {
    keep(localStorage, this.kept, { done: this.done, kind: this.kind, folded: this.folded });
  }

  // ---- a click ----

  #click(lesson) {
    if (lesson.text) {
      this.#tick(lesson);
      return;
    }
    const done = lesson.key in this.done;
    if (done) this.open = this.open === lesson.key ? null : lesson.key;
    this.#prepare(lesson);
    this.#draw();
    this.list.querySelector(`[data-lesson="${lesson.key}"]`)?.focus({ preventScroll: true });
    pointTo(lesson.place);
  }

  /** A sentence of the link's own: nobody but its reader knows when it is done. */
  #tick(lesson) {
    if (lesson.key in this.done) delete this.done[lesson.key];
    else this.done[lesson.key] = {};
    this.#save();
    this.#draw();
    this.list.querySelector(`[data-lesson="${lesson.key}"]`)?.focus({ preventScroll: true });
  }

  #prepare(lesson) {
    const preset = presetOf(lesson.preset);
    if (preset) {
      applySettings({
        preset: preset.key, model: preset.model, dataset: preset.dataset, max_steps: preset.max_steps,
        config: presetConfig(preset),
      });
    }
    if (lesson.settings) applySettings(lesson.settings);
    const known = state.catalogue.checkpoints.some((c) => c.name === lesson.checkpoint);
    if (lesson.checkpoint && known) useCheckpoint(lesson.checkpoint);
  }

  // ---- drawing ----

  #visible() {
    const mine = this.lessons.filter((l) => l.kind === this.kind);
    if (this.all || this.linked) return mine;
    const limit = this.root.clientWidth && this.root.clientWidth < NARROW_PX ? SHOWN_NARROW : SHOWN;
    const fresh = mine.find((l) => l.key === this.fresh);
    const open = mine.filter((l) => !(l.key in this.done));
    const rest = open.slice(0, fresh ? Math.max(limit - 1, 0) : limit);
    const chosen = [...rest, fresh].filter(Boolean);
    const shown = chosen.length ? chosen : mine.slice(-limit);
    return mine.filter((l) => shown.includes(l));
  }

  #draw() {
    for (const tab of this.tabs) this.#drawTab(tab);
    const mine = this.lessons.filter((l) => l.kind === this.kind);
    this.again.hidden = this.folded || mine.some((l) => !(l.key in this.done));
    this.more.hidden = this.folded || this.linked;
    setText(this.more, this.all ? t("lessons.fewer") : t("lessons.all", { n: mine.length }));
    this.fold.setAttribute("aria-expanded", String(!this.folded));
    this.fold.setAttribute("aria-label", t(this.folded ? "lessons.unfold" : "lessons.fold"));
    this.list.hidden = this.folded;
    if (!this.folded) fill(this.list, this.#visible().map((lesson) => this.#item(lesson)));
  }

  #drawTab(tab) {
    const { kind } = tab.dataset;
    const mine = this.lessons.filter((l) => l.kind === kind);
    const count = mine.filter((l) => l.key in this.done).length;
    tab.setAttribute("aria-pressed", String(kind === this.kind));
    fill(tab, t(`lessons.kind.${kind}`), " ", h("span", { class: "mon-unit" }, t("lessons.count", { n: count, total: mine.length })));
  }

  #item(lesson) {
    const done = lesson.key in this.done;
    const explained = done && !lesson.text && [this.fresh, this.open].includes(lesson.key);
    const tick = h("span", { class: "mon-tick", "aria-hidden": "true" });
    const button = h("button", {
      type: "button", class: "mon-lesson", dataset: { lesson: lesson.key }, onclick: () => this.#click(lesson),
      title: this.#hint(lesson, done), "aria-pressed": lesson.text ? String(done) : null,
    }, tick, h("span", {}, words(lesson)),
    h("span", { class: "play-hidden" }, done ? t("lessons.is_done") : ""));
    const why = explained ? h("p", { class: "mon-why" }, sentence(this.#why(lesson))) : null;
    return h("li", { class: done ? "done" : "" }, button, why);
  }

  #hint({ text }, done) {
    if (text) return t(done ? "lessons.untick" : "lessons.tick");
    return done ? t("lessons.read_again") : t("lessons.set_up");
  }

  #why(lesson) {
    const then = Object.entries(this.done[lesson.key] ?? {});
    const shown = then.map(([name, value]) => [name, inWords(value)]);
    return t(`lessons.${lesson.key}.why`, Object.fromEntries(shown));
  }
}

function inWords(value) {
  if (typeof value === "string") return value;
  return Number.isInteger(value) ? whole(value) : number(value);
}
