// What an atlas is trained with: data, loss, packing, rates, size; and its buttons.

import { MODEL } from "./atlas_state.js";
import { datasetOf, fits, modelOf } from "./store_catalogue.js";
import { button, errorLine, h, numberField, picker } from "./explorer_dom.js";
import { emit, on, state, t } from "./store.js";

const SIZES = [6, 10, 16];
const STEPS = 6000;

export class Controls {
  /** @param {import("./atlas_state.js").Atlas} atlas */
  constructor(atlas) {
    this.atlas = atlas;
    const plain = Object.fromEntries((modelOf(MODEL)?.schema ?? []).map((f) => [f.name, f.default]));
    this.config = { ...plain };
    this.given = { dataset: "ring8", seed: 0, max_steps: STEPS };
    this.failure = errorLine();
    this.element = h("div", { class: "atlas-controls" }, this.#fields(), this.#more(plain), this.#buttons(), this.failure.element);
    atlas.on("run", () => this.#show());
    on("catalogue", () => this.#data());
    this.#show();
  }

  #field(name) {
    return modelOf(MODEL)?.schema.find((f) => f.name === name);
  }

  #fields() {
    const set = (name, read = String) => (value) => { this.config[name] = read(value); };
    const loss = this.#field("loss");
    this.dataset = picker({ label: t("atlas.dataset"), options: [], value: "", onchange: (key) => { this.given.dataset = key; } });
    this.#data();
    const fields = [this.dataset.element];
    if (loss) {
      fields.push(picker({
        label: t("atlas.loss"), value: this.config.loss, onchange: set("loss"),
        options: loss.choices.map(([key]) => [key, t(`atlas.loss.${key}`)]),
      }).element);
    }
    fields.push(
      picker({
        label: t("atlas.packing"), value: 1, onchange: set("packing", Number),
        options: [1, 2, 3, 4].map((m) => [m, m === 1 ? t("atlas.packing_off") : String(m)]),
      }).element,
      picker({
        label: t("atlas.size"), value: 10, options: SIZES.map((n) => [n, t("atlas.size_of", { n })]),
        onchange: (n) => { this.config.generator_rates = this.config.discriminator_rates = Number(n); },
      }).element,
    );
    return h("div", { class: "atlas-fields" }, fields);
  }

  #more(plain) {
    const numbers = (network) => ["lowest", "highest"].map((end) => {
      const name = `${end}_${network}_learning_rate`;
      return numberField({ label: t(`atlas.${end}_${network}`), value: plain[name], onchange: (v) => { this.config[name] = v; } }).element;
    });
    return h("details", { class: "atlas-more" }, h("summary", {}, t("atlas.more")),
      h("div", { class: "atlas-fields" }, numbers("generator"), numbers("discriminator"),
        numberField({ label: t("atlas.steps"), value: STEPS, min: 1, step: 1, onchange: (v) => { this.given.max_steps = v; } }).element,
        numberField({ label: t("atlas.seed"), value: 0, min: 0, step: 1, onchange: (v) => { this.given.seed = v; } }).element));
  }

  #data() {
    const model = modelOf(MODEL);
    const known = state.catalogue.datasets.filter((d) => d.available !== false && model && fits(model, d));
    if (!datasetOf(this.given.dataset) && known.length) this.given.dataset = known[0].key;
    this.dataset.set(known.map((d) => [d.key, d.title]), this.given.dataset);
  }

  #buttons() {
    this.train = button({ text: t("atlas.train"), symbol: "play", kind: "primary atlas-train", onclick: () => this.#act(() => this.#start()) });
    this.pause = button({ text: t("atlas.pause"), kind: "small atlas-pause", onclick: () => this.#act(() => this.atlas.command(this.atlas.run?.state === "paused" ? "resume" : "pause")) });
    this.stop = button({ text: t("atlas.stop"), kind: "small atlas-stop", onclick: () => this.#act(() => this.atlas.command("stop")) });
    return h("div", { class: "play-row atlas-buttons" }, this.train, this.pause, this.stop);
  }

  #start() {
    emit("tried", { what: "atlas-train" });
    return this.atlas.start({ ...this.given, config: { ...this.config } });
  }

  async #act(work) {
    this.failure.clear();
    this.train.disabled = true;
    try {
      await work();
    } catch (error) {
      if (!error.sentence) console.error(error);
      this.failure.show(error);
    } finally {
      this.train.disabled = false;
      this.#show();
    }
  }

  #show() {
    const { active, run } = this.atlas;
    this.pause.hidden = this.stop.hidden = !active;
    const paused = run?.state === "paused";
    this.pause.lastChild.textContent = t(paused ? "atlas.resume" : "atlas.pause");
  }
}
