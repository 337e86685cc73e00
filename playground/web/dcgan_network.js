// Both networks drawn, block by block, with the size of each output and how it comes about.

import { choice, h } from "./explorer_dom.js";
import { fill, setText } from "./dom.js";
import { formula, frac, m, row } from "./help_math.js";
import { layersOf } from "./dcgan_layers.js";
import { emit, on, settings, state, t } from "./store.js";

const NETWORKS = ["generator", "discriminator"];
const MAPS = /convolution|pooling|upsampling/; // layers that change the side of a picture
const DRAWN = { least: 14, most: 84 }; // pixels of the side of a slab

export class NetworkView {
  /** @param {import("./dcgan_sampler.js").Sampler} sampler */
  constructor(sampler) {
    Object.assign(this, { sampler, of: "model", picked: { network: "generator", block: "block1" }, seen: false });
    this.#build();
    sampler.on("space", () => { this.of = "model"; this.which.set("model"); this.#draw(); });
    on("settings", (now) => this.#settings(now));
  }

  #build() {
    this.which = choice({
      label: t("dcgan.network_of"), value: this.of, options: ["model", "settings"].map((k) => [k, t(`dcgan.network_${k}`)]),
      onchange: (of) => { this.of = of; this.#draw(); },
    });
    this.summary = h("p", { class: "play-note" });
    this.flows = Object.fromEntries(NETWORKS.map((name) => [name, h("div", { class: "dc-flow", role: "list", "aria-label": t(`dcgan.${name}`) })]));
    this.counts = Object.fromEntries(NETWORKS.map((name) => [name, h("span", { class: "play-note play-number" })]));
    this.detail = h("div", { class: "dc-detail", "aria-live": "polite" });
    this.element = h("div", { class: "x-stack" },
      h("div", { class: "x-line" }, this.which.element, this.summary),
      NETWORKS.map((name) => h("section", { class: `dc-net dc-${name}` },
        h("div", { class: "dc-net-head" }, h("i", { class: "x-dot" }), h("h4", { class: "x-sub" }, t(`dcgan.${name}`)), this.counts[name]), this.flows[name])),
      this.detail);
  }

  shown(on) {
    this.seen = on;
    if (!on) return;
    this.#draw();
    emit("tried", { what: "network" });
  }

  /** A switch of the panel was moved: what is drawn follows it. */
  #settings({ model, from }) {
    if (model !== "dcgan") return;
    if (from === "person" && this.seen && this.of !== "settings") {
      this.of = "settings";
      this.which.set("settings");
    }
    this.#draw();
  }

  #subjects() {
    const now = settings();
    const shape = state.catalogue.datasets.find((d) => d.key === now.dataset)?.shape ?? this.sampler.shape;
    const { config } = this.sampler;
    return {
      model: config.channels ? { config, shape: this.sampler.shape } : null,
      settings: now.config.channels ? { config: now.config, shape } : null,
    };
  }

  #draw() {
    if (!this.seen) return;
    const subjects = this.#subjects();
    const subject = subjects[this.of] ?? subjects.settings ?? subjects.model;
    if (!subject) return;
    this.nets = layersOf(subject.config, subject.shape);
    const other = subjects[this.of === "model" ? "settings" : "model"];
    const others = other ? layersOf(other.config, other.shape) : this.nets;
    this.subject = subject;
    let differs = false;
    for (const name of NETWORKS) differs = this.#drawNetwork(name, others[name]) || differs;
    setText(this.summary, t(differs ? "dcgan.network_differs" : "dcgan.network_same"));
    if (differs && this.of === "settings") emit("tried", { what: "rebuilt" });
    this.#explain();
  }

  /** Draw one network; returns whether a block of it differs from the other subject's. */
  #drawNetwork(name, others) {
    const blocks = grouped(this.nets[name]);
    const before = new Map(grouped(others).map((b) => [b.name, JSON.stringify(b.layers)]));
    let differs = blocks.length !== before.size;
    const parts = [this.#stage(name, blocks[0].layers[0].input, true)];
    for (const block of blocks) {
      const other = before.get(block.name) !== JSON.stringify(block.layers);
      differs = differs || other;
      const picked = this.picked.network === name && this.picked.block === block.name;
      parts.push(this.#arrow(name, block, { other, picked }), this.#stage(name, block.layers.at(-1).output, false));
    }
    fill(this.flows[name], parts);
    const total = this.nets[name].reduce((sum, layer) => sum + layer.parameters, 0);
    setText(this.counts[name], t("dcgan.parameters", { n: total.toLocaleString("en") }));
    return differs;
  }

  /** A slab: as high as the picture's side, as wide as there are channels. */
  #stage(name, size, first) {
    const [channels, side] = size;
    const flat = size.length === 1;
    const high = flat ? (channels === 1 ? 14 : 60) : DRAWN.least + ((DRAWN.most - DRAWN.least) * Math.sqrt(side)) / Math.sqrt(128);
    const wide = flat ? 10 : 10 + 6 * Math.log2(channels + 1);
    const text = flat ? String(channels) : `${channels}×${side}×${side}`;
    return h("div", { class: "dc-stage", role: "listitem" },
      h("div", { class: "dc-slab-place" }, h("i", { class: `dc-slab${flat ? " flat" : ""}`, style: { height: `${high}px`, width: `${wide}px` } })),
      h("span", { class: "play-number" }, text), h("small", {}, this.#stageName(name, size, first)));
  }

  #stageName(name, size, first) {
    const { shape, config } = this.subject;
    if (first && name === "generator") return t(config.conditional ? "dcgan.stage_noise_class" : "dcgan.stage_noise");
    if (first) return t(config.packing > 1 ? "dcgan.stage_pack" : "dcgan.stage_picture", { n: config.packing });
    if (size.length === 1) return t("dcgan.stage_verdict");
    const made = name === "generator" && size[1] === this.nets.side;
    if (made && shape[1] !== size[1]) return t("dcgan.stage_cut", { h: shape[1], w: shape[2] });
    return made ? t("dcgan.stage_picture") : "";
  }

  #arrow(name, block, { other, picked }) {
    const chips = block.layers.filter((l) => l.kind !== "reshape" && l.kind !== "identity").map((l) => h("span", { class: `dc-chip${MAPS.test(l.kind) || l.kind === "linear" ? " main" : ""}` }, shortText(l)));
    return h("button", {
      type: "button", class: `dc-arrow${other ? " other" : ""}`, "aria-pressed": String(picked), title: t("dcgan.block_title"),
      onclick: () => this.#pick(name, block.name), onpointerenter: (e) => { if (e.pointerType === "mouse") this.#pick(name, block.name); },
    }, chips, h("i", { class: "dc-arrow-line", "aria-hidden": "true" }));
  }

  #pick(network, block) {
    if (this.picked.network === network && this.picked.block === block) return;
    this.picked = { network, block };
    for (const name of NETWORKS) {
      const names = grouped(this.nets[name]).map((b) => b.name);
      [...this.flows[name].querySelectorAll(".dc-arrow")].forEach((arrow, i) =>
        arrow.setAttribute("aria-pressed", String(name === network && names[i] === block)));
    }
    this.#explain();
  }

  /** The layers of the picked block, each with the formula of its output's size. */
  #explain() {
    const blocks = grouped(this.nets[this.picked.network]);
    const block = blocks.find((b) => b.name === this.picked.block) ?? blocks[0];
    const head = h("tr", {}, ["layer", "size", "formula", "weights"].map((k) => h("th", { scope: "col" }, t(`dcgan.column_${k}`))));
    const rows = block.layers.filter((l) => l.kind !== "identity").map((layer) => h("tr", {},
      h("th", { scope: "row" }, kindText(layer)),
      h("td", { class: "play-number" }, layer.output.join(" × ")),
      h("td", {}, layer.formula === "unchanged" ? h("span", { class: "play-note" }, t("dcgan.unchanged")) : h("span", { class: "play-number" }, signs(layer.formula))),
      h("td", { class: "play-number" }, layer.parameters ? layer.parameters.toLocaleString("en") : "–")));
    const law = lawOf(block.layers);
    fill(this.detail, h("table", { class: "dc-table" }, h("thead", {}, head), h("tbody", {}, rows)), law ? [law, h("p", { class: "play-note" }, t("dcgan.law_letters"))] : null);
  }
}

function grouped(layers) {
  const blocks = [];
  for (const layer of layers) {
    if (blocks.at(-1)?.name !== layer.block) blocks.push({ name: layer.block, layers: [] });
    blocks.at(-1).layers.push(layer);
  }
  return blocks;
}

/** "Transposed conv. 4×4, stride 2", for the drawing. */
function shortText({ kind, kernel, stride }) {
  const plain = kind.replace(", spectral norm", "").replaceAll(" ", "_");
  const name = t(`dcgan.short.${plain}`);
  const normed = kind.endsWith("spectral norm") ? t("dcgan.kind_normed") : "";
  const size = kernel ? h("span", { class: "dc-nowrap" }, ` ${kernel} × ${kernel}`) : null;
  return [name, size, normed, stride > 1 && kernel ? h("span", { class: "dc-block" }, t("dcgan.short_stride", { s: stride })) : null];
}

/** "Transposed convolution 4 × 4, stride 2, padding 1" */
function kindText({ kind, kernel, stride, padding }) {
  const name = t(`dcgan.kind.${kind.replace(", spectral norm", "").replaceAll(" ", "_")}`);
  const normed = kind.endsWith("spectral norm") ? t("dcgan.kind_normed") : "";
  return kernel ? `${name} ${kernel} × ${kernel}${t("dcgan.kind_steps", { s: stride, p: padding })}${normed}` : name + normed;
}

/** A formula of the engine in the signs of print. */
function signs(text) {
  return text.replace(/^floor\(\((.*)\) \/ (\d+)\)/, "⌊($1) / $2⌋").replaceAll(" x ", " × ").replaceAll(" - ", " − ").replaceAll("->", "→");
}

/** The general formula behind a block's size. */
function lawOf(layers) {
  const kinds = layers.map((l) => l.kind);
  const to = () => row("n", "′");
  if (kinds.includes("transposed convolution")) {
    return formula(t("dcgan.law_transposed"), to(), "=", "(", "n", "−", "1", ")", "s", "−", "2", "p", "+", "k");
  }
  if (kinds.some((k) => k.startsWith("convolution")) && !kinds.includes("nearest upsampling")) {
    return formula(t("dcgan.law_convolution"), to(), "=", m("mrow", null, "⌊", frac(row("n", "+", "2", "p", "−", "k"), "s"), "⌋"), "+", "1");
  }
  return null;
}

