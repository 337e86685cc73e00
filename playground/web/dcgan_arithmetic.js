// Arithmetic with noise: means of the samples in three trays, and a − b + c.

import { button, errorLine, h } from "./explorer_dom.js";
import { fill, setText } from "./dom.js";
import { decoded, download, paintTiles } from "./views_pictures.js";
import { cut, thumbnail } from "./dcgan_tiles.js";
import { emit, t } from "./store.js";

const TRAYS = ["a", "b", "c"];
const SIGNS = { a: "−", b: "+", c: "=" };
const MOST = 6; // samples in a tray
const SIDE = 84;

export class ArithmeticView {
  /** @param {import("./dcgan_sampler.js").Sampler} sampler @param {{grid: import("./dcgan_grid.js").SampleGrid}} parts */
  constructor(sampler, { grid }) {
    Object.assign(this, { sampler, grid, trays: { a: [], b: [], c: [] }, active: "a", seen: false });
    this.#build();
    sampler.on("space", () => this.#clear());
    sampler.on("pick", (sample) => { if (this.seen) this.add(this.active, sample, true); });
    sampler.on("weights", ({ live }) => { if (!live) this.#ask(); });
  }

  #build() {
    this.parts = Object.fromEntries(TRAYS.map((key) => [key, this.#tray(key)]));
    this.result = h("div", { class: "dc-mean", "aria-live": "polite" });
    const resultTray = h("div", { class: "dc-tray dc-result" }, h("b", { class: "dc-tray-name" }, t("dcgan.result")), this.result,
      this.use = button({ text: t("dcgan.result_use"), kind: "small", onclick: () => this.#use() }));
    this.failure = errorLine();
    this.hint = h("p", { class: "play-note" });
    const clear = button({ text: t("dcgan.clear"), kind: "small quiet", onclick: () => this.#clear() });
    const chance = button({ text: t("dcgan.arithmetic_random"), symbol: "dice", kind: "small", onclick: () => this.#random() });
    this.save = button({ symbol: "download", label: t("dcgan.arithmetic_download"), kind: "small quiet", onclick: () => this.#save() });
    this.element = h("div", { class: "x-stack" }, this.hint,
      h("div", { class: "dc-trays" }, TRAYS.map((key) => [this.parts[key].element, h("span", { class: "dc-sign", "aria-hidden": "true" }, SIGNS[key])]), resultTray),
      this.failure.element,
      h("div", { class: "x-line" }, chance, clear, this.save),
      h("p", { class: "play-note" }, t("dcgan.arithmetic_note")));
    this.#draw();
  }

  #tray(key) {
    const mean = h("div", { class: "dc-mean" });
    const members = h("ul", { class: "dc-members" });
    const choose = h("button", {
      type: "button", class: "dc-tray-name", "aria-pressed": "false", title: t("dcgan.tray_choose", { name: key }),
      onclick: () => { this.active = key; this.#draw(); },
    }, key);
    const element = h("div", { class: "dc-tray", dataset: { drop: key }, role: "group", "aria-label": t("dcgan.tray", { name: key }) }, choose, mean, members);
    element.addEventListener("click", (event) => { if (!event.target.closest("button")) choose.click(); });
    return { element, mean, members, choose };
  }

  shown(on) {
    this.seen = on;
    if (on) this.#draw();
  }

  /** Put a sample {z, label, picture, name} into a tray; `next` makes the next empty tray the active one. */
  add(key, sample, next = false) {
    const tray = this.trays[key];
    if (tray.length >= MOST) tray.shift();
    tray.push(sample);
    if (next) this.active = TRAYS.find((k) => !this.trays[k].length) ?? this.active;
    this.mine = true;
    this.#draw();
    this.#ask();
  }

  #remove(key, i) {
    this.trays[key].splice(i, 1);
    this.active = key;
    this.#draw();
    this.#ask();
  }

  #clear() {
    for (const key of TRAYS) this.trays[key] = [];
    this.active = "a";
    this.answer = null;
    this.failure.clear();
    this.#draw();
  }

  #random() {
    const zs = this.sampler.drawn?.zs;
    if (!zs || !this.grid.shown) return;
    const places = [...zs.keys()].sort(() => Math.random() - 0.5).slice(0, TRAYS.length);
    TRAYS.forEach((key, k) => {
      const i = places[k];
      this.trays[key] = [{ z: zs[i], label: this.sampler.drawn.labels?.[i] ?? null, picture: this.grid.picture(i), name: t("dcgan.sample_name", { n: i + 1 }) }];
    });
    this.mine = true;
    this.#draw();
    this.#ask();
  }

  async #ask() {
    if (TRAYS.some((key) => !this.trays[key].length)) {
      this.answer = null;
      this.#draw();
      return;
    }
    try {
      const args = Object.fromEntries(TRAYS.map((key) => [key, this.trays[key].map((s) => s.z)]));
      const answer = await this.sampler.ask("arithmetic", { ...args, ...this.sampler.labelArgs(this.trays.a[0].label) }, "arithmetic");
      if (!answer) return;
      this.failure.clear();
      this.answer = { ...answer, image: await decoded(answer.items.sheet) };
      this.#draw();
      if (this.mine) emit("tried", { what: "arithmetic" });
    } catch (error) {
      this.failure.show(error);
    }
  }

  // ---- drawing ------------------------------------------------------------------------------------

  #draw() {
    TRAYS.forEach((key, k) => this.#drawTray(key, this.#tile(k)));
    const result = this.#tile(3);
    fill(this.result, result ? thumbnail(result, SIDE, t("dcgan.result_alt")) : h("span", { class: "dc-empty" }, "?"));
    this.use.disabled = !result;
    this.save.disabled = !result;
    setText(this.hint, t(this.answer ? "dcgan.arithmetic_more" : "dcgan.arithmetic_hint", { name: this.active }));
  }

  #drawTray(key, mean) {
    const { element, mean: place, members, choose } = this.parts[key];
    const samples = this.trays[key];
    element.classList.toggle("active", this.active === key);
    choose.setAttribute("aria-pressed", String(this.active === key));
    const picture = mean ?? (samples.length === 1 ? samples[0].picture : null);
    fill(place, picture ? thumbnail(picture, SIDE, t("dcgan.mean_alt", { name: key, n: samples.length })) : h("span", { class: "dc-empty" }, t("dcgan.tray_empty")));
    fill(members, samples.map((s, i) => h("li", {}, h("button", {
      type: "button", class: "dc-member", title: t("dcgan.member_remove", { name: s.name }), "aria-label": t("dcgan.member_remove", { name: s.name }),
      onclick: () => this.#remove(key, i),
    }, thumbnail(s.picture, 24, s.name)))));
  }

  #tile(index) {
    return this.answer ? cut(this.answer.image, this.answer.items.sheet, index) : null;
  }

  #use() {
    const z = this.answer?.values.zs[3];
    if (z) this.sampler.chooseNoise(z, this.answer.values.label, "arithmetic");
  }

  #save() {
    if (!this.answer) return;
    const { image, items: { sheet } } = this.answer;
    const canvas = document.createElement("canvas");
    paintTiles(canvas, image, sheet, { side: 3 * sheet.tile[1], gap: 6, indices: [0, 1, 2, 3], columns: 4 });
    download(canvas, "a-minus-b-plus-c.png");
    emit("tried", { what: "download" });
  }
}
