// The card with the large picture: tools, layers, legend, what D says under the pointer.

import { announce, emit, idOf, on, t } from "./store.js";
import { remember, remembered } from "./store_core.js";
import { button, h, paced, press, setText } from "./explorer_dom.js";
import { number, whole } from "./curves_format.js";
import { subject } from "./curves_history.js";
import { colours, gradient } from "./lab_colours.js";
import { valueAt } from "./lab_math.js";
import { LAYERS, MARKS, Picture } from "./lab_picture.js";
import { Gestures } from "./map_gestures.js";

const WORDS_MS = 900; // how often what is written for the ear is renewed
const STEP_PX = 14; // of the place, by an arrow key
const KEPT = "play-lab-layers";

export class Stage {
  /** @param {import("./lab_state.js").Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.#build();
    this.picture = new Picture(lab, this.canvas);
    this.picture.onlook = () => this.#looked();
    this.#layers();
    this.gestures = new Gestures(this.canvas, this.picture.camera, this.#calls());
    this.say = paced(() => this.#say(), WORDS_MS);
    lab.on("drawing", () => this.#drawn());
    lab.on("data", () => { this.#known(); this.#drawn(); });
    lab.on("status", () => this.#status());
    lab.on("error", (error) => this.#error(error));
    for (const type of ["run", "source", "frame"]) on(type, () => { this.#badge(); this.#known(); });
    on("theme", () => this.#legend());
    this.#legend();
    this.#known();
    this.#status();
  }

  // ---- the card -----------------------------------------------------------------------------------

  #build() {
    this.canvas = h("canvas", { class: "lab-canvas", tabindex: 0, role: "img", "aria-label": t("lab.canvas_empty") });
    this.bubble = h("div", { class: "lab-bubble", "aria-hidden": "true" });
    this.message = h("div", { class: "lab-message" });
    this.badge = h("span", { class: "lab-badge" });
    this.facts = h("dl", { class: "lab-facts" });
    this.failure = h("p", { class: "play-error", role: "alert" });
    const tool = (symbol, act) => button({ symbol, label: t(`lab.tool_${symbol}`), kind: "small quiet", onclick: act });
    this.tools = h("div", { class: "x-tools", role: "group", "aria-label": t("lab.tools") },
      tool("plus", () => this.picture.camera.zoom(1.5)), tool("minus", () => this.picture.camera.zoom(1 / 1.5)),
      tool("fit", () => this.picture.camera.fit()));
    this.draw = button({ text: t("lab.draw_open"), kind: "small lab-draw", onclick: () => this.ondraw?.() });
    this.chips = h("div", { class: "lab-layers", role: "group", "aria-label": t("lab.layers") });
    this.scale = h("span", { class: "lab-scale" });
    this.note = h("span", { class: "lab-legend-note" });
    this.legend = h("div", { class: "lab-legend" },
      h("span", {}, t("lab.legend_fake")), this.scale, h("span", {}, t("lab.legend_real")),
      this.note);
    this.stage = h("div", { class: "lab-stage" }, this.canvas, this.badge, this.bubble, this.message);
    this.name = h("h3", { class: "play-title" }, t("lab.title"));
    this.head = h("div", { class: "x-head" }, this.name, this.draw, this.tools);
    this.body = h("div", { class: "lab-body" }, this.stage, this.failure, this.facts, this.chips, this.legend,
      h("p", { class: "play-hidden", id: idOf("keys") }, t("lab.keys")));
    this.element = h("section", { class: "play-card lab-view", "aria-label": t("lab.title") }, this.head, this.body);
    this.canvas.setAttribute("aria-describedby", idOf("keys"));
  }

  #layers() {
    const before = kept();
    for (const layer of LAYERS) {
      if (layer in before) this.picture.layers[layer] = before[layer];
      const chip = h("button", {
        type: "button", class: "lab-chip", dataset: { layer }, title: t(`lab.layer_${layer}_help`),
        "aria-pressed": String(this.picture.layers[layer]),
        onclick: () => this.toggle(layer),
      }, h("span", { class: `lab-swatch ${layer}`, "aria-hidden": "true" }), t(`lab.layer_${layer}`));
      this.chips.append(chip);
    }
    this.unfold = button({
      text: t("lab.unfold"), symbol: "play", label: t("lab.unfold_help"), kind: "small quiet lab-unfold",
      onclick: () => { this.picture.unfold(); this.#pressed("warp", true); emit("tried", { what: "unfold" }); },
    });
    this.chips.append(this.unfold);
  }

  /** Switch a layer on or off, or the other way round. */
  toggle(layer, on = !this.picture.layers[layer]) {
    this.picture.show(layer, on);
    this.#pressed(layer, on);
    emit("tried", { what: "layer", layer, on });
  }

  #pressed(layer, on) {
    press(this.chips.querySelector(`[data-layer="${layer}"]`), on);
    remember(KEPT, JSON.stringify(this.picture.layers));
  }

  #legend() {
    this.scale.style.background = gradient(colours().scale);
    for (const [mark, colour] of Object.entries(MARKS)) this.element.style.setProperty(`--lab-${mark}`, colour);
  }

  /** The pad takes the picture's place, or gives it back. */
  drawing(on) {
    this.body.hidden = this.draw.hidden = this.tools.hidden = on;
    setText(this.name, t(on ? "lab.pad_title" : "lab.title"));
    if (!on) this.picture.request();
  }

  // ---- what is known ------------------------------------------------------------------------------

  #drawn() {
    this.#badge();
    this.#probe();
    this.say();
  }

  #status() {
    const { status } = this.lab;
    this.stage.classList.toggle("loading", status === "loading");
    setText(this.message, status === "empty" ? t("lab.empty") : "");
    if (status === "ready") setText(this.failure, "");
    this.#badge();
  }

  #error(error) {
    setText(this.failure, error?.name === "AbortError" ? "" : error?.sentence ?? (error ? String(error.message ?? error) : ""));
  }

  /** What depends on the data and the loss: whether there are modes, and what D's number means. */
  #known() {
    this.chips.querySelector("[data-layer=centres]").hidden = Boolean(this.lab.data) && !this.lab.data.means;
    const critic = subject()?.config.loss === "wgan_gp";
    setText(this.note, t(critic ? "lab.legend_note_critic" : "lab.legend_note"));
  }

  #badge() {
    const { lab } = this;
    const step = lab.step();
    const kind = lab.past !== null ? "past" : lab.live ? "live" : "";
    const known = Number.isFinite(step) && lab.status === "ready" && Boolean(lab.drawing);
    setText(this.badge, known ? t(`lab.badge_${kind || "still"}`, { step: whole(step) }) : "");
    this.badge.className = `lab-badge ${kind}`;
  }

  /** The numbers under the picture, and a sentence for those who cannot see it. */
  #say() {
    const cover = this.lab.coverage();
    const { drawing } = this.lab;
    const of = (n) => `${n}/${cover.modes.length}`;
    const facts = !drawing ? [] : [
      ...(cover ? [["loose", of(cover.loose)], ["strict", of(cover.strict)], ["good", `${Math.round(100 * cover.good)} %`]] : []),
      ["real", number(drawing.dReal, 2)], ["fake", number(drawing.dFake, 2)],
    ];
    this.facts.replaceChildren(...facts.map(([name, value]) => h("div", { title: t(`lab.fact_${name}_help`) },
      h("dt", {}, t(`lab.fact_${name}`)), h("dd", { class: "play-number", "data-fact": name }, value))));
    this.canvas.setAttribute("aria-label", `${t("lab.canvas", { step: whole(this.lab.step() ?? 0) })} ${this.words()}`);
  }

  words() {
    const { drawing } = this.lab;
    if (!drawing) return "";
    const cover = this.lab.coverage();
    const scores = t("lab.said_scores", { real: number(drawing.dReal, 2), fake: number(drawing.dFake, 2) });
    if (!cover) return scores;
    const sentence = t("lab.said_modes", {
      loose: cover.loose, total: cover.modes.length, strict: cover.strict, good: Math.round(100 * cover.good),
      n: drawing.generated.length >> 1,
    });
    return `${sentence} ${scores}`;
  }

  // ---- looking ------------------------------------------------------------------------------------

  #looked() {
    const { camera } = this.picture;
    this.lab.extent = camera.chosen ? [...camera.now] : null;
    this.lab.emit("look");
    this.#probe();
  }

  #calls() {
    const nothing = () => {};
    return {
      hover: (px, py, u) => this.#hover(u), leave: () => this.#leave(),
      click: (u) => this.#pin(u), move: (direction, far) => this.#moveProbe(direction, far),
      enter: () => this.#tellProbe(), fit: () => this.picture.camera.fit(),
      zoom: (factor, u) => this.picture.camera.zoom(factor, u), pan: (dx, dy) => this.picture.camera.pan(dx, dy),
      box: nothing, lasso: nothing,
    };
  }

  #hover(u) {
    this.picture.probe = { place: u, pinned: false };
    this.#probe();
    this.picture.request();
    emit("tried", { what: "hover" });
  }

  #leave() {
    this.picture.probe = this.pinned ? { place: this.pinned, pinned: true } : null;
    this.#probe();
    this.picture.request();
  }

  /** A click pins the place: what D says there is followed; a click on the pin frees it. */
  #pin(u) {
    const near = this.pinned && Math.hypot(...[0, 1].map((i) => this.pinned[i] - u[i])) * this.picture.camera.scale() < 10;
    this.pinned = near ? null : u;
    this.canvas.focus({ preventScroll: true });
    this.#leave();
  }

  #moveProbe([dx, dy], far) {
    const { camera } = this.picture;
    const step = (far ? 5 : 1) * (STEP_PX / camera.scale());
    const [x0, x1, y0, y1] = camera.now;
    const from = this.pinned ?? [(x0 + x1) / 2, (y0 + y1) / 2];
    this.pinned = [Math.min(Math.max(from[0] + dx * step, x0), x1), Math.min(Math.max(from[1] + dy * step, y0), y1)];
    this.#leave();
    this.#tellProbe();
  }

  #tellProbe() {
    if (this.bubble.textContent) announce(this.bubble.textContent);
  }

  /** D's probability at the place, from the surface that is here already. */
  #probe() {
    const { probe } = this.picture;
    const { drawing } = this.lab;
    this.bubble.classList.toggle("shown", Boolean(probe && drawing));
    if (!probe || !drawing) {
      this.bubble.replaceChildren();
      return;
    }
    const [x, y] = probe.place;
    const value = valueAt(drawing.surface, drawing.extent, x, y);
    const verdict = value === null ? "lab.probe_outside" : value > 0.6 ? "lab.probe_real" : value < 0.4 ? "lab.probe_fake" : "lab.probe_unsure";
    this.bubble.replaceChildren(
      h("b", { class: "play-number" }, value === null ? "–" : t("lab.probe_value", { value: value.toFixed(2) })), " ",
      h("span", {}, t(verdict)), h("small", { class: "play-number" }, t("lab.probe_place", { x: number(x, 3), y: number(y, 3) })));
    this.#placeBubble(this.picture.camera.toPixel(probe.place));
  }

  #placeBubble([px, py]) {
    const { width, height } = this.picture.camera.area();
    const left = px > width * 0.6;
    const up = py > height * 0.6;
    const shift = `translate(${left ? "-100%" : "0"}, ${up ? "-100%" : "0"})`;
    this.bubble.style.transform = `translate(${px + (left ? -14 : 14)}px, ${py + (up ? -14 : 14)}px) ${shift}`;
  }
}

/** Which layers this browser had on and off. */
function kept() {
  try {
    return JSON.parse(remembered(KEPT)) ?? {};
  } catch {
    return {}; // somebody else wrote there
  }
}
