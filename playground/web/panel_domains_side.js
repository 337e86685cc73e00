// One of two domains that a person brings: files, and pictures that are drawn or taken one by one.
import { Camera } from "./camera.js";
import { button, h, setText } from "./dom.js";
import { Pad } from "./pad.js";
import { PlayError, on, t } from "./store.js";

const GROUND = "#ffffff";
const INK = "#2b2b33";
const BRUSH = 22;
const LONGEST = 512; // pixels a side of what the camera takes
const ROW = 10; // pictures that the camera takes in a row
const ROW_MS = 500;
const SHOWN = 60; // thumbnails at most
const THUMBNAIL = 40;
const PICTURES = ".zip,image/png,image/jpeg,image/webp,image/gif,image/bmp";

export class Side {
  /** @param {"a"|"b"} letter */
  constructor(letter) {
    Object.assign(this, { letter, brought: [], taken: [], tool: null });
    const upper = letter.toUpperCase();
    this.name = h("input", { type: "text", name: `name_${letter}`, maxlength: "30", class: "play-select", placeholder: upper });
    this.chooser = h("input", { type: "file", name: letter, multiple: true, accept: PICTURES, onchange: () => this.#bring(this.chooser.files) });
    this.count = h("p", { class: "play-note", role: "status" });
    this.thumbnails = h("div", { class: "play-thumbnails" });
    this.place = h("div", { class: "play-domain-tool" });
    this.openers = { draw: this.#opener("draw"), camera: this.#opener("camera") };
    this.element = h("fieldset", { class: "play-domain" }, h("legend", {}, t("domains.domain", { letter: upper })),
      h("label", { class: "play-labelled" }, h("span", {}, t("domains.called")), this.name),
      h("label", { class: "play-labelled" }, h("span", {}, t("domains.files")), this.chooser),
      h("div", { class: "play-row" }, this.openers.draw, this.openers.camera, button(t("domains.clear"), () => this.#clear(), { kind: "small quiet" })),
      this.place, this.thumbnails, this.count);
    this.#listen();
    this.#tell();
  }

  /** What is sent, [field, file, name] each; what was drawn or taken is called by its number. */
  files() {
    const taken = this.taken.map(({ blob, ending }, i) => [this.letter, blob, `${String(i + 1).padStart(3, "0")}.${ending}`]);
    return [...this.brought.map((file) => [this.letter, file, file.name]), ...taken];
  }

  #listen() {
    const over = (here) => this.element.classList.toggle("dropping", here);
    this.element.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
    this.element.addEventListener("dragleave", (event) => { if (!this.element.contains(event.relatedTarget)) over(false); });
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      this.#bring(event.dataTransfer.files);
    });
    on("visible", (seen) => { if (!seen && this.tool?.kind === "camera") this.#close(); });
  }

  #bring(files) {
    this.brought.push(...files);
    this.chooser.value = "";
    this.#tell();
  }

  #clear() {
    Object.assign(this, { brought: [], taken: [] });
    this.thumbnails.replaceChildren();
    this.#tell();
  }

  #tell() {
    const { brought, taken } = this;
    const parts = [brought.length ? t("domains.files_count", { n: brought.length }) : null, taken.length ? t("domains.taken_count", { n: taken.length }) : null];
    setText(this.count, parts.filter(Boolean).join(", ") || t("domains.nothing_yet"));
  }

  // ---- drawn and taken ---------------------------------------------------------------------------

  #opener(kind) {
    const opener = button(t(`domains.${kind}`), () => (this.tool?.kind === kind ? this.#close() : this.#open(kind)), { kind: "small" });
    opener.setAttribute("aria-expanded", "false");
    return opener;
  }

  #open(kind) {
    this.#close();
    this.tool = { kind, ...(kind === "draw" ? this.#drawing() : this.#camera()) };
    this.openers[kind].setAttribute("aria-expanded", "true");
    this.place.replaceChildren(this.tool.element);
  }

  #close() {
    this.tool?.stop();
    if (this.tool) this.openers[this.tool.kind].setAttribute("aria-expanded", "false");
    this.tool = null;
    this.place.replaceChildren();
  }

  #drawing() {
    const keep = button(t("domains.keep"), () => { this.#take(pad.canvas, "png"); pad.clear(); }, { kind: "small" });
    const pad = new Pad({ label: t("domains.pad_label"), ground: GROUND, color: INK, onchange: () => { keep.disabled = pad.empty; } });
    pad.width = BRUSH;
    keep.disabled = true;
    const color = h("input", { type: "color", value: INK, oninput: () => { pad.color = color.value; } });
    const label = h("label", { class: "play-check" }, color, h("span", {}, t("domains.color")));
    const undo = button(t("domains.undo"), () => pad.undo(), { kind: "small quiet" });
    return { element: h("div", {}, pad.canvas, h("div", { class: "play-row" }, keep, undo, label)), stop: () => {} };
  }

  #camera() {
    let timer = 0;
    const camera = new Camera({ take: (canvas) => this.#take(canvas, "jpeg"), onclose: () => this.#close() });
    const stop = () => { clearInterval(timer); timer = 0; };
    const inRow = button(t("domains.in_row", { n: ROW }), () => {
      let left = ROW;
      if (timer || !camera.open) return;
      timer = setInterval(() => {
        if (camera.open) this.#take(camera.frame(LONGEST), "jpeg");
        if (!camera.open || (left -= 1) === 0) stop();
      }, ROW_MS);
    }, { kind: "small" });
    camera.start();
    return { element: h("div", {}, camera.element, inRow), stop: () => { stop(); camera.close(); } };
  }

  /** Keep what is on a canvas, as a file of this kind. */
  async #take(canvas, ending) {
    if (!canvas) return;
    const [picture, small] = [shrunk(canvas, LONGEST), shrunk(canvas, THUMBNAIL)]; // it may change while we wait
    const blob = await new Promise((resolve) => picture.toBlob(resolve, `image/${ending}`, 0.92));
    if (!blob) throw new PlayError(t("domains.not_kept"));
    const one = { blob, ending };
    this.taken.push(one);
    this.#tell();
    if (this.thumbnails.childElementCount >= SHOWN) return;
    const thumbnail = h("button", { type: "button", title: t("domains.remove"), "aria-label": t("domains.remove"), onclick: () => {
      this.taken = this.taken.filter((other) => other !== one);
      thumbnail.remove();
      this.#tell();
    } }, small);
    this.thumbnails.append(thumbnail);
  }
}

/** A copy of a canvas, at most `longest` pixels a side. */
function shrunk(canvas, longest) {
  const scale = Math.min(1, longest / Math.max(canvas.width, canvas.height));
  const copy = h("canvas", { width: Math.max(1, Math.round(canvas.width * scale)), height: Math.max(1, Math.round(canvas.height * scale)) });
  const context = copy.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, copy.width, copy.height);
  return copy;
}
