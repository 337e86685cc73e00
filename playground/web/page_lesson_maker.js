// "Make a lesson link": which controls a class sees, up to five sentences, a title, the link.
import { button, fill, h, setText, show } from "./dom.js";
import { lesson, notify } from "./page.js";
import { copyText } from "./page_copy.js";
import { ALWAYS, PART_NAMES, isHidden } from "./page_hidden.js";
import { MOST_LETTERS, MOST_TRIES, plain } from "./page_lesson.js";
import { t } from "./page_server.js";

const PANEL = ["preset", "dataset", "model", "amount", "seed", "own-data", "train"];
const LONG = 2000; // letters of a link beyond which some programs cut it
const SEEN = {
  "own-data": (tab) => `#play-${tab}-own-data`, train: (tab) => `#play-${tab}-panel-transport`,
  runs: (tab) => `#play-${tab}-files-runs`, models: (tab) => `#play-${tab}-files-models`,
  downloads: (tab) => `#play-${tab}-files-downloads`, share: () => "#play-share", tabs: () => "#play-tabs > .tab-wrapper",
  monitor: (tab) => `#play-${tab}-curves`,
};

/** Open the dialog for the tab of this store. */
export function openMaker(store) {
  new Maker(store);
}

class Maker {
  constructor(store) {
    this.store = store;
    this.tab = store.state.tab;
    this.mine = lesson?.tab === this.tab ? lesson : null; // it begins from the lesson that is open
    this.boxes = []; // {name, folded, box}
    this.tries = []; // {row, read}
    this.#build();
    for (const text of this.mine?.tries ?? [""]) this.#addTry(text);
    this.#write();
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.title.focus();
  }

  // ---- what can be shown ----

  #groups() {
    const { state, schema } = this.store;
    const there = (name) => document.querySelector(SEEN[name]?.(this.tab) ?? `#play-${this.tab}-${name}`) || name === "explorer";
    const parts = (names) => names.filter((name) => there(name) && (name !== "model" || state.catalogue.models.length > 1))
      .map((name) => ({ name, label: t(`shell.part_${name.replace("-", "_")}`), folded: false }));
    const fields = new Map();
    for (const field of schema(state.model)) {
      const folded = Boolean(field.group || field.advanced);
      const group = folded ? field.group || t("panel.more") : t("shell.maker_fields");
      if (!fields.has(group)) fields.set(group, []);
      fields.get(group).push({ name: field.name, label: field.label, folded });
    }
    const rest = PART_NAMES.filter((name) => !PANEL.includes(name) && name !== "advanced");
    return [[t("shell.maker_panel"), parts(PANEL)], ...fields, [t("shell.maker_page"), parts(rest)]];
  }

  #group([title, entries]) {
    const boxes = entries.map(({ name, label, folded }) => {
      const box = h("input", { type: "checkbox", name: "control", value: name });
      box.checked = this.mine ? !isHidden(name, folded) : true;
      this.boxes.push({ name, folded, box });
      return { box, label: h("label", {}, box, h("span", {}, label)) };
    });
    const whole = h("input", { type: "checkbox", name: "group" });
    const follow = () => {
      const on = boxes.filter(({ box }) => box.checked).length;
      whole.checked = on > 0;
      whole.indeterminate = on > 0 && on < boxes.length;
    };
    whole.addEventListener("change", () => { for (const { box } of boxes) box.checked = whole.checked; this.#write(); });
    this.follow.push(follow);
    return h("fieldset", {}, h("legend", {}, h("label", {}, whole, h("span", {}, title))), h("div", { class: "play-maker-boxes" }, boxes.map((b) => b.label)));
  }

  // ---- sentences ----

  #addTry(text = "") {
    if (this.tries.length >= MOST_TRIES) return;
    const own = this.store.own.LESSONS.map((l) => [`lesson:${l.key}`, plain(t(`lessons.${l.key}.do`).replace(/\[\[\w+\|([^\]]+)\]\]/g, "$1"))]);
    const input = h("input", { type: "text", class: "play-input", name: "try", maxlength: String(MOST_LETTERS), placeholder: t("shell.maker_try_hint"), "aria-label": t("shell.maker_try") });
    const select = h("select", { class: "play-select", name: "builtin", "aria-label": t("shell.maker_builtin") },
      h("option", { value: "" }, t("shell.maker_own_words")), own.map(([value, words]) => h("option", { value }, words)));
    const known = own.some(([value]) => value === text);
    if (known) select.value = text;
    else input.value = text;
    const entry = { read: () => select.value || plain(input.value), words: () => own.find(([value]) => value === select.value)?.[1] ?? plain(input.value) };
    const remove = button("×", () => {
      this.tries = this.tries.filter((other) => other !== entry);
      row.remove();
      this.#write();
      this.add.focus();
    }, { kind: "small quiet", title: t("shell.maker_remove") });
    remove.setAttribute("aria-label", t("shell.maker_remove"));
    const row = h("li", {}, h("div", { class: "play-maker-try" }, select, input), remove);
    const chosen = () => show(input, !select.value);
    select.addEventListener("change", () => { chosen(); if (!select.value) input.focus(); });
    chosen();
    this.tries.push(entry);
    this.list.append(row);
    this.#write();
  }

  // ---- the dialog ----

  #build() {
    this.follow = [];
    this.title = h("input", { type: "text", class: "play-input", name: "title", maxlength: "80", placeholder: t("shell.maker_title_hint"), value: this.mine?.title ?? "" });
    this.list = h("ol", { class: "play-maker-tries" });
    this.add = button(t("shell.maker_add"), () => { this.#addTry(); this.list.lastChild?.querySelector("input")?.focus(); }, { kind: "small" });
    this.lock = h("input", { type: "checkbox", name: "lock" });
    this.lock.checked = Boolean(this.mine?.lock);
    this.run = h("input", { type: "checkbox", name: "run" });
    const all = (now) => { for (const { box } of this.boxes) box.checked = now || ALWAYS.includes(box.value); this.#write(); };
    const groups = this.#groups().filter(([, entries]) => entries.length).map((group) => this.#group(group));
    this.preview = h("div", { class: "play-maker-preview" });
    this.link = h("textarea", { class: "play-input play-maker-link", readonly: true, rows: "2", name: "link", "aria-label": t("shell.maker_link"), onfocus: () => this.link.select() });
    this.note = h("p", { class: "play-note" });
    this.open = h("a", { class: "play-button", target: "_blank", rel: "noopener" }, t("shell.maker_open"));
    const copy = button(t("shell.maker_copy"), () => this.#copy(), { kind: "primary" });
    const close = button(t("shell.close"), () => this.dialog.close());
    this.dialog = h("dialog", { class: "play-dialog play-card play-maker", "aria-labelledby": "play-maker-title" },
      h("h2", { class: "play-title", id: "play-maker-title" }, t("shell.maker")),
      h("p", { class: "play-note" }, t("shell.maker_what")),
      h("label", { class: "play-labelled" }, t("shell.maker_title"), this.title),
      h("section", {}, h("h3", { class: "play-title" }, t("shell.maker_tries")), this.list, this.add),
      h("section", {}, h("div", { class: "play-row" }, h("h3", { class: "play-title" }, t("shell.maker_controls")),
        button(t("shell.maker_all"), () => all(true), { kind: "small quiet" }), button(t("shell.maker_none"), () => all(false), { kind: "small quiet" })), groups),
      h("label", { class: "play-check" }, this.lock, h("span", {}, t("shell.maker_lock"))),
      this.store.state.run ? h("label", { class: "play-check" }, this.run, h("span", {}, t("shell.maker_run"))) : null,
      this.preview,
      h("label", { class: "play-labelled" }, t("shell.maker_link"), this.link), this.note,
      h("div", { class: "play-row play-maker-end" }, close, this.open, copy));
    this.dialog.addEventListener("input", () => this.#write());
    this.dialog.addEventListener("close", () => this.dialog.remove());
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  /** What the link shall hide, said in the shorter way. */
  #chosen() {
    const hidden = this.boxes.filter(({ box }) => !box.checked).map(({ name }) => name);
    const shown = this.boxes.filter(({ box, name }) => box.checked && !ALWAYS.includes(name)).map(({ name }) => name);
    if (!hidden.length) return { hide: [], only: null };
    if (hidden.length <= shown.length) return { hide: hidden, only: null };
    return { hide: hidden.filter((name) => ALWAYS.includes(name)), only: shown };
  }

  #write() {
    for (const fn of this.follow) fn();
    const tries = this.tries.map((entry) => entry.read()).filter(Boolean);
    const link = this.store.lessonLink({ ...this.#chosen(), title: plain(this.title.value), tries, lock: this.lock.checked, run: this.run.checked });
    this.link.value = link;
    this.open.href = link;
    show(this.add, this.tries.length < MOST_TRIES);
    const words = this.tries.map((entry) => entry.words()).filter(Boolean);
    fill(this.preview, h("b", {}, plain(this.title.value) ? t("shell.lesson_named", { title: plain(this.title.value) }) : t("shell.lesson_plain")),
      words.length ? h("ol", {}, words.map((text) => h("li", {}, text))) : null);
    const n = this.boxes.filter(({ box }) => box.checked).length;
    const count = t("shell.maker_count", { n, total: this.boxes.length });
    setText(this.note, link.length > LONG ? `${count} ${t("shell.maker_long", { n: link.length })}` : count);
  }

  async #copy() {
    if (await copyText(this.link.value)) {
      this.dialog.close();
      notify(t("shell.maker_done"));
    } else {
      this.link.focus();
      setText(this.note, t("shell.maker_by_hand"));
    }
  }
}
