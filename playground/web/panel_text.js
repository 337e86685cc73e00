// A text of one's own: pasted, or a file; looked at first, then used as a data set.
import { button, fill, h, setText, show } from "./dom.js";
import { tooLarge } from "./panel_files.js";
import { ensureStyles } from "./page_styles.js";
import * as store from "./store.js";

const { t, state } = store;
const SETTLE_MS = 600; // what is typed is looked at when it rests
const FILES = ".txt,.text,.md,.csv,.log,text/*";

const number = (value) => value.toLocaleString("en");
const labelled = (key, control) => h("label", { class: "play-labelled" }, h("span", {}, t(key)), control);

/** `choose(key)` selects the new data set in the panel. */
export function mountText(element, choose) {
  ensureStyles("texts.css");
  element.replaceChildren(new OwnText(choose).element);
}

class OwnText {
  /** @param {(key: string) => void} choose */
  constructor(choose) {
    Object.assign(this, { choose, given: null, timer: 0, asked: 0 });
    this.limit = state.catalogue.limits?.text_upload_mb ?? 20;
    this.chooser = h("input", { type: "file", name: "file", accept: FILES, onchange: () => this.#bring(this.chooser.files[0]) });
    this.field = h("textarea", { name: "pasted", rows: "5", class: "play-select", spellcheck: "false", placeholder: t("texts.paste_hint"), oninput: () => this.#typed() });
    this.name = h("input", { type: "text", name: "name", maxlength: "60", class: "play-select", placeholder: t("texts.name_hint") });
    this.facts = h("div", { class: "play-text-facts", role: "status" });
    this.error = h("div", { class: "play-error", role: "alert", hidden: true });
    this.done = h("div", { class: "play-note", role: "status" });
    this.send = button(t("texts.use"), () => this.#use(), { kind: "small" });
    this.element = h("div", { class: "play-pictures play-texts" },
      h("p", { class: "play-note" }, t("texts.hint", { size: this.limit })),
      labelled("texts.file_label", this.chooser), labelled("texts.paste", this.field), labelled("texts.name", this.name),
      this.error, this.facts, this.send, this.done);
    this.#listen();
  }

  #listen() {
    const over = (here) => this.element.classList.toggle("dropping", here);
    this.element.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
    this.element.addEventListener("dragleave", (event) => { if (!this.element.contains(event.relatedTarget)) over(false); });
    this.element.addEventListener("drop", (event) => {
      over(false);
      if (!event.dataTransfer.files.length) return; // dropped words go where they fall
      event.preventDefault();
      this.#bring(event.dataTransfer.files[0]);
    });
  }

  // ---- what is given -----------------------------------------------------------------------------

  #bring(file) {
    if (!file) return;
    this.field.value = "";
    this.name.value = "";
    this.given = { field: "file", blob: file, name: file.name };
    this.#look();
  }

  #typed() {
    clearTimeout(this.timer);
    this.chooser.value = "";
    const text = this.field.value;
    this.given = text ? { field: "pasted", blob: new Blob([text]), name: t("texts.pasted") } : null;
    this.timer = setTimeout(() => this.#look(), SETTLE_MS);
  }

  /** Ask what the server makes of the text; a newer question makes an older answer void. */
  async #look() {
    const asked = (this.asked += 1);
    this.#clear();
    if (!this.given) return;
    setText(this.done, t("texts.reading"));
    try {
      const facts = await this.#ask("no");
      if (asked === this.asked) this.#show(facts);
    } catch (problem) {
      if (asked === this.asked) this.#refuse(problem);
    }
  }

  async #use() {
    clearTimeout(this.timer);
    const asked = (this.asked += 1);
    this.#clear();
    this.send.disabled = true;
    setText(this.done, t("texts.reading"));
    try {
      const added = await this.#ask("yes");
      await store.refreshCatalogue();
      this.choose(added.dataset);
      if (asked !== this.asked) return;
      this.#show(added);
      setText(this.done, t("texts.done", { name: added.title }));
    } catch (problem) {
      this.#refuse(problem);
    } finally {
      this.send.disabled = false;
    }
  }

  async #ask(keep) {
    if (!this.given) throw new store.PlayError(t("texts.none"));
    const { field, blob, name } = this.given;
    if (blob.size > this.limit * 1e6) throw tooLarge({ name, size: blob.size }, this.limit);
    const form = new FormData();
    form.append(field, blob, name);
    form.append("name", this.name.value);
    form.append("keep", keep);
    return store.api("texts", { form });
  }

  // ---- what is said ------------------------------------------------------------------------------

  #clear() {
    show(this.error, false);
    setText(this.done, "");
    fill(this.facts);
  }

  #refuse(problem) {
    this.#clear();
    setText(this.error, problem.sentence ?? String(problem));
    show(this.error, true);
  }

  #show({ characters, distinct, lines, first, notes, advice }) {
    setText(this.done, "");
    const counts = t("texts.counts", { characters: number(characters), distinct: number(distinct), lines: number(lines) });
    fill(this.facts, h("p", { class: "play-text-counts" }, counts),
      h("pre", { class: "play-text-first", dir: "auto", tabindex: "0", "aria-label": t("texts.first") }, first.join("\n")),
      [...notes, ...advice].map((sentence) => h("p", { class: "play-note" }, sentence)));
  }
}
