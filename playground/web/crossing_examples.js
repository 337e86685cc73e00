// Held-out pictures of both domains as two strips: a click lets one cross over.

import { button, h, press } from "./explorer_dom.js";
import { tileBox } from "./decode.js";
import { emit, t } from "./store.js";

const COUNT = 24;
const SPLIT = "test";
const SIDES = [["a", "a2b"], ["b", "b2a"]];
const WAYS = { ArrowLeft: -1, ArrowRight: 1 };

export class Examples {
  /** @param {import("./crossing_state.js").Crossing} lab */
  constructor(lab) {
    Object.assign(this, { lab, seed: 0, known: null, indices: [] });
    this.strips = SIDES.map(([side, direction]) => {
      const name = h("h4", { class: "x-sub" });
      const list = h("div", { class: "cx-strip", role: "group", onkeydown: (event) => this.#key(event) });
      return { side, direction, name, list };
    });
    this.other = button({
      text: t("crossing.other_examples"), symbol: "dice", kind: "small quiet",
      onclick: () => { this.seed += 1; this.#ask(); },
    });
    this.rows = h("div", { class: "cx-strips" }, this.strips.map(({ name, list }) => h("div", { class: "cx-strip-row" }, name, list)), this.other);
    this.none = h("p", { class: "play-note", hidden: true }, t("crossing.no_examples"));
    this.element = h("div", { class: "cx-examples", hidden: true }, this.rows, this.none);
    lab.on("status", () => this.#space());
    lab.on("chosen", () => this.#mark());
    lab.on("answer", () => this.#space());
  }

  /** Pictures of another data set are asked for; the same ones stay. */
  #space() {
    const { lab } = this;
    if (lab.status !== "ready" || (lab.live && !lab.settled && this.known)) return;
    if (lab.dataset === this.known) return;
    this.known = lab.dataset;
    this.seed = 0;
    this.#ask();
  }

  async #ask() {
    const { lab } = this;
    try {
      const answer = await lab.ask("examples", { count: COUNT, split: SPLIT, seed: this.seed }, "examples");
      if (!answer) this.known = null; // of another source by now
      else this.#show(answer);
    } catch (error) {
      console.info("There are no examples:", error.message);
      this.element.hidden = true;
    }
  }

  #show({ items, values }) {
    this.none.hidden = Boolean(items.a);
    this.rows.hidden = !items.a;
    this.element.hidden = false;
    if (!items.a) return;
    this.indices = values.indices;
    this.strips.forEach(({ side, direction, name, list }, i) => {
      const domain = this.lab.domains[i];
      name.textContent = domain;
      list.setAttribute("aria-label", t("crossing.examples_of", { domain }));
      list.replaceChildren(...this.indices.map((index, k) => h("button", {
        type: "button", class: "cx-example", "aria-pressed": "false", tabindex: k ? -1 : 0, style: sprite(items[side], k),
        "aria-label": t("crossing.example_name", { domain, n: index + 1 }), onclick: () => this.#choose(index, direction),
      })));
    });
    this.#mark();
  }

  #choose(index, direction) {
    this.lab.choose({ index, split: SPLIT }, "example", { direction });
    emit("tried", { what: "crossing", by: "example", direction });
  }

  #mark() {
    const { chosen, direction } = this.lab;
    for (const strip of this.strips) {
      [...strip.list.children].forEach((item, k) =>
        press(item, chosen.split === SPLIT && this.indices[k] === chosen.index && strip.direction === direction));
    }
  }

  #key(event) {
    const all = [...event.currentTarget.children];
    const at = all.indexOf(event.target);
    const to = { Home: 0, End: all.length - 1 }[event.key] ?? (event.key in WAYS ? at + WAYS[event.key] : null);
    if (to === null || !all[to]) return;
    event.preventDefault();
    event.stopPropagation();
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  }
}

/** One tile of a sheet as the ground of a button. */
function sprite(sheet, index) {
  const [x, y, w, tall] = tileBox(sheet, index);
  const across = sheet.columns > 1 ? (100 * x) / (w * (sheet.columns - 1)) : 0;
  const down = sheet.rows > 1 ? (100 * y) / (tall * (sheet.rows - 1)) : 0;
  return {
    backgroundImage: `url("${sheet.src}")`, backgroundSize: `${100 * sheet.columns}% ${100 * sheet.rows}%`,
    backgroundPosition: `${across}% ${down}%`, aspectRatio: `${w} / ${tall}`,
  };
}
