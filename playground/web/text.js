// The text-generation box: a sheet on which a person begins and the model goes on, what could stand
// at each place, and under it the models side by side and what goes on inside.

import { button, ensureStyles, errorLine, h, press, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { Tabs } from "./explorer_tabs.js";
import { buildBeside } from "./text_beside.js";
import { Box, legend } from "./text_box.js";
import { typedFirst, writtenIn } from "./text_branches.js";
import { buildInside } from "./text_inside.js";
import { Knobs } from "./text_knobs.js";
import { follow, restore } from "./text_live.js";
import { NextPanel } from "./text_next.js";
import { promptsOf } from "./text_prompts.js";
import { Writing } from "./text_state.js";
import { SurpriseCurve } from "./text_surprise.js";
import { buildTokens } from "./text_tokens.js";
import { Tools, badge } from "./text_tools.js";
import { buildTree } from "./text_tree.js";
import { Writer } from "./text_writer.js";
import { emit, on, ready, state, t } from "./store.js";

const PANELS = { write: buildTree, beside: buildBeside, inside: buildInside, tokens: buildTokens };
const LEAST = 20; // tokens that follow a chosen one

/**
 * Mount the box.
 * @param {HTMLElement} element
 * @returns {Promise<{lab: Writing, unmount: () => void}>}
 */
export async function mount(element) {
  await Promise.all([ready, ...["explorer.css", "text.css", "text_inside.css"].map(ensureStyles)]);
  const lab = new Writing();
  const writer = new Writer(lab);
  const stage = new Stage(lab, writer);
  const panels = Object.entries(PANELS).map(([key, build]) => ({ key, panel: build(lab), title: t(`text.tab_${key}`) }));
  const tabs = new Tabs(t("text.tabs"), panels);
  const root = h("div", { class: "x-explorer tx-lab" }, stage.element, tabs.element);
  element.replaceChildren(root);
  const rest = (visible) => tabs.items.find(({ key }) => key === tabs.chosen).panel.shown?.(visible);
  const stop = [...follow(lab), on("visible", rest)];
  return { lab, unmount: () => { stop.forEach((off) => off()); root.remove(); } };
}

/** The card with the sheet. */
class Stage {
  constructor(lab, writer) {
    Object.assign(this, { lab, writer, touched: false, asked: restore(lab) });
    this.box = new Box(lab, { write: () => this.write(), stop: () => writer.stop(), choose: () => this.next.focus(), typed: () => { this.touched = true; } });
    this.next = new NextPanel(lab, { choose: (index, id) => this.choose(index, id), leave: () => this.box.input.focus() });
    this.failure = errorLine();
    this.notes = h("p", { class: "play-warn tx-notes", role: "status" });
    this.prompts = h("div", { class: "tx-prompts", role: "group", "aria-label": t("text.prompts") });
    const curve = new SurpriseCurve(lab);
    const tools = new Tools(lab, { write: () => this.write(), stop: () => writer.stop(), another: () => this.another(), clear: () => this.begin(""), branch: (one) => lab.show(one) });
    const body = h("div", { class: "tx-body", onpointerleave: () => lab.hover(null) }, h("div", { class: "tx-left" }, this.box.element, curve.element, tools.element), this.next.element);
    this.element = h("section", { class: "play-card tx-stage", "aria-label": t("text.stage") },
      h("div", { class: "x-head" }, h("h3", { class: "play-title" }, t("text.title")), badge(lab)),
      h("div", { class: "x-line" }, this.prompts, legend()), body, this.failure.element, this.notes, new Knobs(lab).element);
    lab.on("failed", ({ error }) => this.failure.show(error));
    lab.on("facts", () => { this.failure.clear(); setText(this.notes, lab.said.join(" ")); });
    lab.on("items", () => this.failure.clear());
    lab.on("status", (status) => this.#status(status));
    lab.on("past", (past) => this.element.classList.toggle("past", Boolean(past)));
  }

  write(count) {
    this.failure.clear();
    return this.writer.write(count);
  }

  /** Begin a text of its own. */
  begin(prompt) {
    this.writer.stop();
    this.lab.reset(prompt);
    this.box.input.focus({ preventScroll: true });
  }

  /** Write the last stretch anew, with other luck. */
  another() {
    const { lab, writer } = this;
    writer.stop();
    const { began, items } = lab.branch;
    if (began !== null && began < items.length) lab.cut(began);
    lab.turn("seed", lab.knobs.seed + 1);
    return this.write();
  }

  /** Go on with another token at a place; null: at the end. */
  choose(index, id) {
    const { lab, writer } = this;
    const standing = index !== null && lab.items[index]?.id === id;
    if (standing) return;
    writer.stop();
    const after = index === null ? 0 : lab.turnOff(index, id);
    if (index === null) lab.append(id);
    emit("tried", { what: "alternative", index, id });
    this.write(Math.max(LEAST, after));
  }

  /** A text is on the sheet before anything was clicked. */
  #status(status) {
    const { lab, asked } = this;
    this.#drawPrompts();
    if (status !== "ready" || lab.live) return;
    if (asked) {
      this.asked = null;
      lab.reset(asked.prompt ?? promptsOf(lab.dataset)[0]);
      this.#relive(asked);
    } else if (!this.touched && lab.dataset && lab.dataset !== this.dataset) {
      lab.reset(promptsOf(lab.dataset)[0]);
      this.#relive({ turns: [], written: null });
    }
    this.dataset = lab.dataset;
  }

  /** Write what a link tells of: with its turns, as often as it was turned off. */
  async #relive({ turns, written }) {
    const { lab, writer } = this;
    for (const [place, id] of turns) {
      const missing = place + 1 - writtenIn(lab.branch.items);
      if (missing > 0) await writer.write(missing, { quietly: true });
      const index = typedFirst(lab.branch.items).length + place;
      if (lab.branch.items[index]?.ids && lab.names.has(id)) lab.turnOff(index, id);
    }
    const left = (written ?? lab.knobs.length) - writtenIn(lab.branch.items);
    if (left > 0) await writer.write(left, { quietly: true });
  }

  #drawPrompts() {
    const { lab } = this;
    const offered = promptsOf(lab.dataset);
    if (offered === this.offered) return;
    this.offered = offered;
    this.prompts.hidden = offered.length < 2;
    fill(this.prompts, h("span", { class: "play-note" }, t("text.begin_with")), offered.map((prompt) => {
      const name = prompt.trim().replace(/\s+/g, " ");
      const chip = h("button", { type: "button", class: "tx-chip", onclick: () => { this.begin(prompt); this.touched = true; this.write(); } }, name);
      press(chip, false);
      return chip;
    }));
  }
}
