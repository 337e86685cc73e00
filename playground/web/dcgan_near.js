// More like this: pictures of noise a short step away from the chosen sample's.

import { button, debounce, errorLine, h, setText, slider } from "./explorer_dom.js";
import { TileRow } from "./views_tiles.js";
import { emit, t } from "./store.js";

const COUNT = 16;
const COLUMNS = 8;

export class NearView {
  /** @param {import("./dcgan_sampler.js").Sampler} sampler @param {{card: {current: () => object|null}}} parts */
  constructor(sampler, { card }) {
    Object.assign(this, { sampler, card, sd: 0.4, seed: 0, seen: false });
    this.#build();
    this.soon = debounce(() => this.refresh(), 120);
    sampler.on("chosen", () => this.soon());
    sampler.on("sample", () => { if (!this.z) this.soon(); });
    sampler.on("weights", ({ live }) => { if (!live) this.soon(); });
    sampler.on("space", () => { this.z = null; });
  }

  #build() {
    this.spread = slider({
      label: t("dcgan.near_sd"), min: 0.05, max: 1.5, step: 0.05, value: this.sd, format: (v) => v.toFixed(2),
      oninput: (sd) => { this.sd = sd; this.soon(); },
    });
    const others = button({ text: t("dcgan.near_others"), symbol: "dice", kind: "small", onclick: () => { this.seed += 1; this.refresh(true); } });
    this.row = new TileRow({ label: t("dcgan.near_title"), most: 88, gap: 3, onpick: (i) => this.#pick(i) });
    this.failure = errorLine();
    this.note = h("p", { class: "play-note" }, t("dcgan.near_note"));
    this.element = h("div", { class: "x-stack" }, h("div", { class: "x-line" }, others, this.spread.element), this.note, this.failure.element, this.row.element);
  }

  shown(on) {
    this.seen = on;
    if (on) this.refresh();
  }

  async refresh(told = false) {
    const { sampler } = this;
    if (!this.seen || sampler.status !== "ready" || sampler.past) return;
    const z = sampler.noise();
    if (!z) return;
    this.z = z;
    try {
      const args = { z, sd: this.sd, count: COUNT, seed: this.seed, ...sampler.labelArgs(sampler.classOf()) };
      const answer = await sampler.ask("near", args, "near");
      if (!answer) return;
      this.failure.clear();
      this.zs = answer.values.zs;
      this.label = answer.values.label;
      await this.row.show(answer.items.sheet, { indices: Array.from({ length: this.zs.length }, (_, i) => i), columns: COLUMNS });
      if (told || this.asked) emit("tried", { what: "near" });
      this.asked = false;
    } catch (error) {
      this.failure.show(error);
    }
  }

  #pick(i) {
    const z = this.zs?.[i];
    if (!z) return;
    this.asked = true;
    this.sampler.chooseNoise(z, this.label, "near");
    setText(this.note, t("dcgan.near_wandered"));
  }
}
