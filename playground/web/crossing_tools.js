// Under the large picture: D's patches over it, how a picture of any size is taken, download, link.

import { button, choice, h, setText, slider } from "./explorer_dom.js";
import { decoded, download } from "./views_pictures.js";
import { drawPart } from "./crossing_scene.js";
import { FITS } from "./crossing_state.js";
import { link } from "./crossing_live.js";
import { wholeFile } from "./crossing_own.js";
import { announce, emit, notify, shareLink, t } from "./store.js";

const OPACITY = 0.55;

export class Tools {
  /**
   * @param {import("./crossing_state.js").Crossing} lab
   * @param {import("./crossing_theatre.js").Theatre} theatre
   */
  constructor(lab, theatre) {
    Object.assign(this, { lab, theatre });
    this.patches = button({
      text: t("crossing.patches"), symbol: "layers", pressed: false, label: t("crossing.patches_help"), onclick: () => theatre.judge(!theatre.judged),
    });
    this.opacity = slider({
      label: t("crossing.opacity"), hideLabel: true, min: 0.1, max: 1, step: 0.05, value: OPACITY, format: (v) => `${Math.round(100 * v)} %`,
      oninput: (v) => theatre.element.style.setProperty("--cx-opacity", v),
    });
    this.legend = h("span", { class: "cx-legend" }, h("span", {}, t("crossing.fake")), h("i", { "aria-hidden": "true" }), h("span", {}, t("crossing.real")));
    this.judged = h("div", { class: "x-line cx-judged", hidden: true }, this.legend, this.opacity.element);
    this.fit = choice({
      label: t("crossing.fit"), options: FITS.map((fit) => [fit, t(`crossing.fit_${fit}`)]), value: lab.fit,
      onchange: (fit) => { lab.setFit(fit); emit("tried", { what: "fit", fit }); },
    });
    this.fit.element.classList.add("cx-fit");
    [...this.fit.element.children].forEach((item, i) => { item.title = t(`crossing.fit_${FITS[i]}_help`); });
    this.save = button({ text: t("crossing.download"), symbol: "download", label: t("crossing.download_help"), onclick: () => this.#download() });
    const share = button({ text: t("crossing.copy_link"), symbol: "link", label: t("crossing.copy_link_help"), onclick: () => copyLink() });
    this.element = h("div", { class: "x-line cx-line" }, this.patches, this.judged, this.fit.element, h("i", { class: "cx-spacer" }), this.save, share);
    theatre.onjudge = (on) => this.#judge(on);
    theatre.element.style.setProperty("--cx-opacity", OPACITY);
    lab.on("answer", () => this.#answer());
    lab.on("chosen", () => this.#answer());
    this.#answer();
  }

  #judge(on) {
    this.patches.setAttribute("aria-pressed", String(on));
    this.judged.hidden = !on;
  }

  #answer() {
    const { answer, chosen } = this.lab;
    this.save.disabled = !answer?.items.output;
    this.patches.hidden = !answer?.items.patches;
    if (this.patches.hidden && this.theatre.judged) this.theatre.judge(false);
    this.fit.element.hidden = !chosen.picture;
    this.fit.set(this.lab.fit);
  }

  /** The translation as a PNG file, made of the file itself when a person brought one. */
  async #download() {
    const { lab } = this;
    this.save.disabled = true;
    setText(this.save.lastChild, t("crossing.downloading"));
    try {
      const { file } = lab.chosen;
      let { output } = lab.answer.items;
      if (file) {
        const answer = await lab.ask("translate", { ...lab.args(), picture: await wholeFile(file), detail: false, full: true });
        if (!answer) return;
        output = answer.items.output;
      }
      const canvas = document.createElement("canvas");
      drawPart(canvas, { image: await decoded(output) });
      download(canvas, this.#fileName());
      emit("tried", { what: "result" });
    } catch (error) {
      lab.emit("failed", { error, by: "download" });
    } finally {
      this.save.disabled = false;
      setText(this.save.lastChild, t("crossing.download"));
    }
  }

  #fileName() {
    const { chosen } = this.lab;
    const name = chosen.picture ? (chosen.name ?? "picture").replace(/\.\w{1,5}$/, "") : `${chosen.split}-${chosen.index}`;
    return `${name}-${this.lab.names().to}.png`.replace(/[^\p{L}\p{N}.-]+/gu, "-").toLowerCase();
  }
}

/** The address of what is on the stage: the page's own link, with the example and the direction. */
async function copyLink() {
  const address = new URL(shareLink());
  for (const [name, value] of Object.entries(link())) address.searchParams.set(name, value);
  try {
    await navigator.clipboard.writeText(address.href);
    announce(t("crossing.link_copied"));
    notify(t("crossing.link_copied"));
  } catch {
    notify(address.href); // no clipboard here: the address can be copied by hand
  }
  emit("tried", { what: "link" });
}
