// The tree of continuations: every branch a line, where it turned off from which, and what stood
// there; arrows or a click go to it.

import { h, inFrame, setText, svg } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { writtenIn } from "./text_branches.js";
import { bits } from "./text_odds.js";
import { pieceNode } from "./text_words.js";
import { emit, idOf, t } from "./store.js";

const LINE = 30; // px
const REACH = 190; // px, of the longest branch
const FIRST_X = 8;
const PREVIEW = 90; // characters

export const buildTree = (lab) => new TreePanel(lab);

class TreePanel {
  constructor(lab) {
    this.lab = lab;
    this.graph = svg("svg", { class: "tx-graph", "aria-hidden": "true" });
    this.list = h("div", { class: "tx-branches", role: "listbox", tabindex: "0", "aria-label": t("text.branches"), onkeydown: (event) => this.#key(event) });
    this.note = h("p", { class: "play-note" });
    this.way = h("p", { class: "tx-way" });
    this.element = h("div", { class: "x-stack" }, h("p", {}, t("text.tree_what")), this.way, h("div", { class: "tx-tree" }, this.graph, this.list), this.note);
    this.soon = inFrame(() => this.#draw());
    for (const type of ["branches", "items", "added", "writing"]) lab.on(type, this.soon);
  }

  shown(seen) {
    this.seen = seen;
    if (seen) this.#draw();
  }

  #go(branch) {
    if (!branch || this.lab.writing || this.lab.past) return;
    this.lab.show(branch);
    emit("tried", { what: "branch", branch: branch.number });
  }

  #key(event) {
    const at = this.order.findIndex(({ branch }) => branch === this.lab.branch);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.order.length - 1 }[event.key];
    const parent = event.key === "ArrowLeft" ? this.lab.branches.of(this.lab.branch.parent) : null;
    if (next === undefined && !parent) return;
    event.preventDefault();
    event.stopPropagation();
    this.#go(parent ?? this.order[next]?.branch);
  }

  // ---- drawing --------------------------------------------------------------------------------------

  #draw() {
    if (!this.seen) return;
    const { lab } = this;
    this.order = ordered(lab.branches.all);
    const longest = Math.max(1, ...this.order.map(({ branch }) => branch.items.length));
    const x = (items) => FIRST_X + (REACH * items) / longest;
    this.#drawGraph(x);
    fill(this.list, this.order.map(({ branch, depth }) => this.#line(branch, depth)));
    this.list.setAttribute("aria-activedescendant", idOf(`branch-${lab.branch.number}`));
    const one = this.order.length < 2;
    setText(this.note, one ? t("text.tree_one") : t("text.tree_keys"));
    this.#drawWay();
  }

  #drawGraph(x) {
    const row = new Map(this.order.map(({ branch }, i) => [branch.number, (i + 0.5) * LINE]));
    const { number: here } = this.lab.branch;
    const lines = this.order.flatMap(({ branch }) => {
      const y = row.get(branch.number);
      const above = row.get(branch.parent);
      const from = x(branch.parent === null ? 0 : branch.fork);
      const to = Math.max(from + 8, x(branch.items.length));
      const bend = above === undefined ? `M${from} ${y}` : `M${from} ${above}C${from} ${y} ${from} ${y} ${from + 8} ${y}`;
      return [
        svg("path", { d: `${bend}H${to}`, class: branch.number === here ? "here" : "" }),
        svg("circle", { cx: from, cy: above ?? y, r: 3, class: branch.number === here ? "here" : "" }),
      ];
    });
    const height = this.order.length * LINE;
    this.graph.setAttribute("viewBox", `0 0 ${REACH + 2 * FIRST_X} ${height}`);
    Object.assign(this.graph.style, { width: `${REACH + 2 * FIRST_X}px`, height: `${height}px` });
    fill(this.graph, lines);
  }

  #line(branch, depth) {
    const own = branch.items.slice(branch.parent === null ? 0 : branch.fork);
    const token = branch.parent !== null && own[0]?.forced ? own[0] : null;
    const text = own.slice(token ? 1 : 0).map(({ piece }) => piece).join("").replace(/\s+/g, " ").slice(0, PREVIEW);
    const here = branch === this.lab.branch;
    return h("div", {
      class: `tx-branch${here ? " here" : ""}`, role: "option", id: idOf(`branch-${branch.number}`), "aria-selected": String(here), onclick: () => this.#go(branch), style: { "--tx-depth": depth },
    },
    token ? h("b", { class: "tx-turn" }, pieceNode(token.piece)) : null,
    h("span", { class: "tx-preview" }, text || t("text.nothing_yet")),
    h("small", { class: "play-number" }, factsOf(branch)));
  }

  /** By which choices the present text came about. */
  #drawWay() {
    const { lab } = this;
    const steps = [];
    for (let branch = lab.branch; branch; branch = lab.branches.of(branch.parent)) steps.unshift(branch);
    this.way.hidden = steps.length < 2;
    fill(this.way, steps.flatMap((branch, i) => {
      const first = branch.items[branch.fork];
      const name = i === 0 ? t("text.root") : first?.forced ? pieceNode(first.piece) : t("text.branch_of", { n: branch.number });
      const node = h("button", { type: "button", class: "tx-crumb", "aria-current": i === steps.length - 1 ? "true" : null, onclick: () => this.#go(branch) }, name);
      return i ? [h("span", { "aria-hidden": "true" }, "›"), node] : [node];
    }));
  }
}

/** Branches with their depth, each after the one that it turned off from. */
function ordered(all) {
  const under = (parent, depth) => all.filter((branch) => branch.parent === parent)
    .flatMap((branch) => [{ branch, depth }, ...under(branch.number, depth + 1)]);
  return under(null, 0);
}

function factsOf({ items }) {
  const written = items.filter(({ typed, plain }) => !typed && plain != null);
  if (!written.length) return "";
  const mean = written.reduce((sum, { plain }) => sum + bits(plain), 0) / written.length;
  return t("text.branch_facts", { n: writtenIn(items), bits: mean.toFixed(2) });
}
