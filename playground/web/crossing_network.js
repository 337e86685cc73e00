// Generator and patch discriminator, block by block, and what one verdict of D is about.

import { errorLine, h, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { FieldView } from "./crossing_field.js";
import { freshness } from "./crossing_state.js";
import { emit, t } from "./store.js";

const NETWORKS = ["generator", "discriminator"];
const DRAWN = { least: 16, most: 84 }; // pixels of the side of a slab
const SIZING = /convolution|residual/; // layers that make a block
const PADDING = "reflection padding"; // belongs to the convolution after it

export const buildNetwork = (lab) => new NetworkView(lab);

class NetworkView {
  constructor(lab) {
    Object.assign(this, { lab, nets: null, picked: { network: "generator", at: 0 } });
    this.field = new FieldView(lab);
    this.#build();
    this.fresh = freshness(lab, () => this.#ask(), { chosen: false });
  }

  #build() {
    this.failure = errorLine();
    this.parts = Object.fromEntries(NETWORKS.map((name) => [name, {
      flow: h("div", { class: "cy-flow", role: "list", "aria-label": t(`cyclegan.${name}`) }), count: h("span", { class: "play-note play-number" }),
    }]));
    this.detail = h("div", { class: "cy-detail", "aria-live": "polite" });
    this.element = h("div", { class: "x-stack cy-view" }, this.failure.element,
      NETWORKS.map((name) => h("section", { class: `cy-net ${name}` },
        h("div", { class: "cy-net-head" }, h("i", { class: "cy-dot" }), h("h4", { class: "x-sub" }, t(`cyclegan.${name}`)), this.parts[name].count), this.parts[name].flow)),
      this.detail, this.field.element);
  }

  shown(seen) {
    this.fresh.shown(seen);
    this.field.shown(seen);
    if (seen) emit("tried", { what: "network" });
  }

  async #ask() {
    try {
      const answer = await this.lab.ask("architecture", {}, "architecture");
      if (!answer) return;
      this.failure.clear();
      this.values = answer.values;
      this.nets = Object.fromEntries(NETWORKS.map((name) => [name, blocksOf(answer.values[name])]));
      this.picked = { network: "generator", at: 0 };
      for (const name of NETWORKS) this.#drawNetwork(name);
      this.#explain();
    } catch (error) {
      this.failure.show(error);
    }
  }

  #drawNetwork(name) {
    const blocks = this.nets[name];
    const { flow, count } = this.parts[name];
    setText(count, t("cyclegan.two_of", { n: this.values[`${name}_parameters`].toLocaleString("en") }));
    fill(flow, this.#stage(name, blocks[0].layers[0].input, t(name === "generator" ? "cyclegan.stage_given" : `cyclegan.stage_judged_${this.lab.model}`)),
      blocks.map((block, i) => [this.#arrow(name, block, i), this.#stage(name, block.layers.at(-1).output, i === blocks.length - 1 ? t(`cyclegan.stage_end_${name}`) : "")]));
  }

  /** A slab: as high as the picture's side, as wide as there are channels. */
  #stage(network, [channels, side], name) {
    const high = DRAWN.least + ((DRAWN.most - DRAWN.least) * Math.sqrt(side)) / Math.sqrt(Math.max(this.values.shape?.at(-1) ?? side, side));
    const wide = 8 + 4 * Math.log2(channels + 1);
    return h("div", { class: "cy-stage", role: "listitem" },
      h("div", { class: "cy-slab-place" }, h("i", { class: "cy-slab", style: { height: `${high}px`, width: `${wide}px` } })),
      h("span", { class: "play-number" }, `${channels}×${side}²`), h("small", {}, name));
  }

  #arrow(network, block, at) {
    const picked = this.picked.network === network && this.picked.at === at;
    return h("button", {
      type: "button", class: "cy-arrow", "aria-pressed": String(picked), title: t("cyclegan.block_title"),
      onclick: () => this.#pick(network, at), onpointerenter: (event) => { if (event.pointerType === "mouse") this.#pick(network, at); },
    }, block.times > 1 ? h("b", { class: "cy-times" }, t("cyclegan.times_blocks", { n: block.times })) : null, chips(block), h("i", { class: "cy-arrow-line", "aria-hidden": "true" }));
  }

  #pick(network, at) {
    if (this.picked.network === network && this.picked.at === at) return;
    this.picked = { network, at };
    for (const name of NETWORKS) {
      [...this.parts[name].flow.querySelectorAll(".cy-arrow")].forEach((arrow, i) => arrow.setAttribute("aria-pressed", String(name === network && i === at)));
    }
    this.#explain();
  }

  /** The layers of the picked block. */
  #explain() {
    const block = this.nets[this.picked.network][this.picked.at];
    const head = ["layer", "size", "formula", "weights"].map((k) => h("th", { scope: "col" }, t(`cyclegan.column_${k}`)));
    const rows = block.layers.map((layer) => h("tr", {},
      h("th", { scope: "row" }, kindText(layer)), h("td", { class: "play-number" }, layer.output.join(" × ")),
      h("td", { class: "play-number" }, layer.formula && layer.formula !== "unchanged" ? signs(layer.formula) : h("span", { class: "play-note" }, t("cyclegan.unchanged"))),
      h("td", { class: "play-number" }, layer.parameters ? layer.parameters.toLocaleString("en") : "–")));
    const residual = block.layers.some((l) => l.kind === "residual block");
    fill(this.detail, h("div", { class: "cy-scroll" }, h("table", { class: "cy-table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))),
      residual ? h("p", { class: "play-note" }, t("cyclegan.residual_note")) : null);
  }
}

/** Layers in blocks of one convolution each; blocks that repeat are one, `times` over. */
function blocksOf(layers) {
  const blocks = [];
  for (const layer of layers) {
    const full = !blocks.length || blocks.at(-1).layers.some((l) => SIZING.test(l.kind));
    if (!blocks.length || layer.kind === PADDING || (full && SIZING.test(layer.kind))) blocks.push({ layers: [], times: 1 });
    blocks.at(-1).layers.push(layer);
  }
  const look = (block) => JSON.stringify(block.layers.map(({ name, block: _, ...rest }) => rest));
  return blocks.reduce((merged, block) => {
    const last = merged.at(-1);
    if (last && look(last) === look(block)) last.times += 1;
    else merged.push(block);
    return merged;
  }, []);
}

const plain = (kind) => kind.replaceAll(" ", "_").replaceAll("-", "_").toLowerCase();

/** What stands on an arrow: the layers that change the size in full, the others in small. */
function chips({ layers }) {
  const known = layers.filter((l) => l.kind !== PADDING);
  return known.map((layer) => h("span", { class: `cy-chip-layer${SIZING.test(layer.kind) ? " main" : ""}` },
    t(`cyclegan.short.${plain(layer.kind)}`), layer.kernel ? ` ${layer.kernel}×${layer.kernel}` : "", layer.stride > 1 ? h("small", {}, ` /${layer.stride}`) : null));
}

/** "Convolution 4 × 4, stride 2, padding 1" */
function kindText({ kind, kernel, stride, padding }) {
  const name = t(`cyclegan.layer.${plain(kind)}`);
  return kernel ? `${name} ${kernel} × ${kernel}${t("cyclegan.kind_steps", { s: stride, p: padding ?? 0 })}` : name;
}

/** A formula of the engine in the signs of print. */
function signs(text) {
  return text.replace(/^floor\(\((.*)\) \/ (\d+)\)/, "⌊($1) / $2⌋").replaceAll(" x ", " × ").replaceAll(" - ", " − ").replaceAll("->", "→");
}
