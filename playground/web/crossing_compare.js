// Two pictures of one shape over each other, with a divider between them that can be drawn along.

import { calm, h, inFrame, setText } from "./explorer_dom.js";
import { blank, drawPart } from "./crossing_scene.js";
import { t } from "./store.js";

const STEP = 2; // percent a key press moves; with Shift five times as much
const SWEEP_MS = 750;
const KEYS = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -5 * STEP, PageUp: 5 * STEP };

export class Compare {
  /** @param {{onmove: () => void}} calls `onmove`: a person has moved the divider */
  constructor({ onmove }) {
    Object.assign(this, { onmove, cut: 50, rest: 50 });
    this.left = h("canvas", { class: "cx-before", role: "img" });
    this.right = h("canvas", { class: "cx-after", role: "img" });
    this.overlay = h("canvas", { class: "cx-overlay", "aria-hidden": "true" });
    this.names = [h("span", { class: "cx-label left" }), h("span", { class: "cx-label right" })];
    this.handle = h("div", {
      class: "cx-divider", role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": t("crossing.divider"),
      onkeydown: (event) => this.#key(event),
    }, h("i", { "aria-hidden": "true" }));
    this.frame = h("div", {
      class: "cx-frame", onpointerdown: (event) => this.#begin(event), onpointermove: (event) => this.#go(event),
      onpointerup: () => this.#end(), onpointercancel: () => this.#end(),
    }, this.right, this.overlay, this.left, this.names, this.handle);
    this.element = h("div", { class: "cx-square" }, this.frame);
    this.paint = inFrame(() => this.#paint());
    this.#paint();
  }

  /**
   * @param {{left: object, right: object, overlay?: object}} shown each side {part, name, alt}
   */
  show({ left, right, overlay }) {
    this.frame.classList.add("filled");
    for (const [canvas, side, name] of [[this.left, left, this.names[0]], [this.right, right, this.names[1]]]) {
      if (side.part) drawPart(canvas, side.part);
      else blank(canvas);
      canvas.setAttribute("aria-label", side.alt);
      setText(name, side.name);
    }
    if (overlay) drawPart(this.overlay, overlay);
    else blank(this.overlay);
    this.#paint();
  }

  clear() {
    this.frame.classList.remove("filled");
    [this.left, this.right, this.overlay].forEach(blank);
  }

  /** Where the divider stands when it has not been moved; 0 shows the right picture whole. */
  restAt(cut) {
    this.rest = cut;
    this.set(cut);
  }

  set(cut) {
    cancelAnimationFrame(this.sweeping);
    this.cut = Math.min(Math.max(cut, 0), 100);
    this.paint();
  }

  /** Let the new picture come over the old one, from right to left. */
  sweep() {
    cancelAnimationFrame(this.sweeping);
    if (this.active) return;
    if (calm()) {
      this.set(this.rest);
      return;
    }
    const begun = performance.now();
    const turn = (now) => {
      const done = Math.min((now - begun) / SWEEP_MS, 1);
      this.cut = 100 - (100 - this.rest) * (1 - (1 - done) ** 3);
      this.#paint();
      if (done < 1) this.sweeping = requestAnimationFrame(turn);
    };
    this.cut = 100;
    this.#paint();
    this.sweeping = requestAnimationFrame(turn);
  }

  #paint() {
    this.frame.style.setProperty("--cut", `${this.cut}%`);
    this.names[0].classList.toggle("hidden", this.cut < 18);
    this.names[1].classList.toggle("hidden", this.cut > 82);
    const value = Math.round(this.cut);
    if (this.handle.getAttribute("aria-valuenow") === String(value)) return;
    this.handle.setAttribute("aria-valuenow", value);
    this.handle.setAttribute("aria-valuetext", t("crossing.divider_at", {
      percent: 100 - value, right: this.names[1].textContent, left: this.names[0].textContent,
    }));
  }

  // ---- moving the divider -------------------------------------------------------------------------

  #begin(event) {
    if (event.button !== 0 || !this.frame.classList.contains("filled")) return;
    this.active = event.pointerId;
    this.frame.setPointerCapture(event.pointerId);
    this.#follow(event);
    this.handle.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
  }

  #go(event) {
    if (event.pointerId === this.active) this.#follow(event);
  }

  #end() {
    if (this.active === undefined) return;
    this.active = undefined;
    this.onmove();
  }

  #follow(event) {
    const box = this.frame.getBoundingClientRect();
    this.rest = Math.min(Math.max((100 * (event.clientX - box.left)) / box.width, 0), 100);
    this.set(this.rest);
  }

  #key(event) {
    const far = event.shiftKey ? 5 : 1;
    const to = { Home: 0, End: 100 }[event.key] ?? (event.key in KEYS ? this.cut + far * KEYS[event.key] : null);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.restAt(to);
    this.onmove();
  }
}
