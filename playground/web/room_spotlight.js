// What the teacher shows to all: one student's run, large and live, over the page.

import { button, h, setText, show } from "./dom.js";
import { announce, openTab, tabOf, visibleStore, visibleTab } from "./page.js";
import { api, t } from "./page_server.js";
import { RunPicture } from "./room_picture.js";

const EVERY_MS = 2000; // a class on one Wi-Fi: a picture of 30 kB for each of a hundred

export class Spotlight {
  /** @param {() => void} changed called when it is opened or put away */
  constructor(changed) {
    Object.assign(this, { changed, shown: null, seq: 0, open: false });
    document.addEventListener("visibilitychange", () => { if (!document.hidden && this.open) this.#ask(); });
  }

  /** Follow what the server says: {run, nickname, model}, or null when nothing is shown. */
  follow(shown) {
    const same = shown?.run === this.shown?.run;
    const before = this.shown;
    this.shown = shown;
    if (!shown) {
      if (before) this.close();
    } else if (!same) {
      this.seq = 0;
      this.show();
      announce(t("room.shows", { name: shown.nickname }));
    } else this.#title();
  }

  show() {
    if (!this.shown) return;
    this.dialog ??= this.#build();
    this.picture.clear();
    this.seq = 0;
    this.#title();
    if (!this.dialog.open) this.dialog.showModal();
    this.open = true;
    this.changed();
    this.#ask();
  }

  /** Put it away; the bar offers it again. */
  close() {
    if (this.dialog?.open) this.dialog.close();
  }

  #build() {
    this.picture = new RunPicture("");
    this.heading = h("h2", { id: "room-shown-title" });
    this.facts = h("p", { class: "play-note play-number" });
    const dialog = h("dialog", { class: "room-spotlight", "aria-labelledby": "room-shown-title" },
      h("div", { class: "room-spotlight-head" }, this.heading, this.facts),
      this.picture.canvas,
      h("div", { class: "play-row" },
        button(t("room.watch"), () => this.#watch(), { kind: "", id: "room-watch" }),
        button(t("room.hide_shown"), () => this.close(), { kind: "quiet", id: "room-hide-shown" })));
    dialog.addEventListener("close", () => {
      this.open = false;
      clearTimeout(this.timer);
      this.changed();
    });
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    document.body.append(dialog);
    return dialog;
  }

  #title() {
    if (!this.dialog) return;
    setText(this.heading, t("room.shows", { name: this.shown.nickname }));
    this.picture.label(t("room.shown_picture", { name: this.shown.nickname }));
  }

  async #ask() {
    clearTimeout(this.timer);
    if (!this.open || document.hidden) return;
    const { run } = this.shown;
    try {
      const told = await api(`room/spotlight?after=${this.seq}`);
      if (!this.open || this.shown?.run !== run) return;
      this.seq = told.seq;
      if (told.id === run && told.event) this.picture.take(told.event);
      const step = told.step.toLocaleString("en");
      setText(this.facts, t(told.max_steps ? "room.shown_step_of" : "room.shown_step", { state: t(`room.state_${told.state}`), step, of: (told.max_steps ?? 0).toLocaleString("en") }));
      show(this.facts, true);
    } catch {
      // the server is away, or the teacher has ended it: the bar's next answer says so
    }
    this.timer = setTimeout(() => this.#ask(), EVERY_MS);
  }

  /** Watch the run in the page itself, with its curves; one's own run goes on. */
  #watch() {
    const { run, model } = this.shown;
    this.close();
    const tab = tabOf(model);
    if (tab === visibleTab()) visibleStore()?.attach(run);
    else if (tab) openTab(tab, { run });
  }
}
