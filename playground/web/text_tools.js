// Under the sheet: write, stop, write it anew, go back, clear, copy, link; and over it, which model
// writes.

import { button, h, setText } from "./explorer_dom.js";
import { show } from "./dom.js";
import { writtenIn } from "./text_branches.js";
import { announce, emit, notify, on, shareLink, state, t } from "./store.js";

export class Tools {
  /**
   * @param {import("./text_state.js").Writing} lab
   * @param {{write: Function, stop: Function, another: Function, clear: Function, branch: Function}} calls
   */
  constructor(lab, calls) {
    this.lab = lab;
    this.write = button({ text: t("text.generate"), symbol: "play", kind: "primary tx-generate", label: t("text.generate_help"), onclick: () => calls.write() });
    this.stop = button({ text: t("text.stop"), symbol: "pause", kind: "primary tx-stop", label: t("text.stop_help"), onclick: () => calls.stop() });
    this.another = button({ text: t("text.another"), symbol: "dice", label: t("text.another_help"), onclick: () => calls.another() });
    this.back = button({ text: t("text.back"), symbol: "undo", label: t("text.back_help"), onclick: () => this.#back(calls) });
    this.clear = button({ symbol: "clear", kind: "small quiet", label: t("text.clear_help"), onclick: () => calls.clear() });
    this.copy = button({ symbol: "paste", kind: "small quiet", label: t("text.copy_help"), onclick: () => put(lab.text, t("text.copied")) });
    this.link = button({ symbol: "link", kind: "small quiet", label: t("text.link_help"), onclick: () => put(shareLink(), t("shell.share_done")) });
    this.element = h("div", { class: "x-line tx-tools" }, this.write, this.stop, this.another, this.back, h("i", { class: "tx-spacer" }), this.copy, this.link, this.clear);
    for (const type of ["writing", "status", "items", "past", "branches"]) lab.on(type, () => this.#offer());
    this.#offer();
  }

  #back(calls) {
    const { lab } = this;
    const parent = lab.branches.of(lab.branch.parent);
    if (!parent) return;
    calls.stop();
    calls.branch(parent);
    emit("tried", { what: "branch", branch: parent.number });
  }

  #offer() {
    const { lab } = this;
    const { items, parent } = lab.branch;
    const can = lab.status === "ready" && !lab.past;
    const stopFocused = document.activeElement === this.stop;
    show(this.write, !lab.writing);
    show(this.stop, lab.writing);
    if (stopFocused && !lab.writing) this.write.focus();
    this.write.disabled = !can;
    this.another.disabled = !can || !writtenIn(items);
    this.back.disabled = Boolean(lab.past) || parent === null;
    this.clear.disabled = this.copy.disabled = !items.length;
  }
}

async function put(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    announce(said);
    notify(said);
  } catch {
    notify(t("shell.share_failed", { link: text }));
  }
}

/** Which model writes, and of when its weights are. */
export function badge(lab) {
  const name = h("span", { class: "tx-model-name" });
  const when = h("span", { class: "tx-state" });
  const write = () => {
    const kind = lab.past ? "past" : lab.live ? "live" : "";
    const step = (lab.past?.step ?? lab.step ?? state.run?.step ?? 0).toLocaleString("en");
    setText(name, lab.model ? titleOf(lab) : t("text.no_model"));
    setText(when, kind ? t(`text.${kind}_step`, { step }) : "");
    when.className = `tx-state ${kind}`;
  };
  for (const type of ["space", "status", "past", "weights"]) lab.on(type, write);
  on("run", write);
  write();
  return h("span", { class: "tx-badge" }, name, when);
}

function titleOf({ model, title, config }) {
  const kind = t(`text.kind_${model}`);
  const size = { gpt: () => t("text.size_gpt", config), rnn: () => t("text.size_rnn", { ...config, cell: String(config.cell).toUpperCase() }), ngram: () => t("text.size_ngram", config) }[model];
  return [title || kind, config.layers || config.order ? size() : ""].filter(Boolean).join(" · ");
}
