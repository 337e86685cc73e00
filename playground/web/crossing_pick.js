// How a picture comes to the stage: a file, the clipboard, the camera, the pad, or an example.

import { button, errorLine, h, press } from "./explorer_dom.js";
import { Camera } from "./camera.js";
import { Drawing } from "./crossing_draw.js";
import { Examples } from "./crossing_examples.js";
import { ofCanvas, readPicture } from "./crossing_own.js";
import { BROUGHT } from "./crossing_state.js";
import { picturesOf } from "./pad_files.js";
import { PlayError, emit, on, t } from "./store.js";

const MIRROR_MS = 350; // between two looks of the camera while it runs
const MIRROR_SIDE = 256;
const MIRROR_CHARS = 40e3;

export class Pick {
  /**
   * @param {import("./crossing_state.js").Crossing} lab
   * @param {{root: HTMLElement, input: () => HTMLCanvasElement|null, onown: (way: string|null) => void}} parts
   *   root: where pictures may be dropped; onown: "draw" or "camera" is open beside the stage, or
   *   no more
   */
  constructor(lab, { root, input, onown }) {
    Object.assign(this, { lab, onown, open: null });
    this.camera = new Camera({ take: (canvas) => this.#taken(canvas), onclose: () => this.show(null) });
    this.drawing = new Drawing(lab, { input, onclose: () => this.show(null) });
    this.own = h("div", { class: "cx-own", hidden: true });
    this.#build();
    this.examples = new Examples(lab);
    this.element = h("div", { class: "cx-pick" }, this.uploader, this.examples.element);
    picturesOf(root, (files, by) => this.#take(files, by));
    lab.on("chosen", ({ by }) => this.#chosen(by));
    lab.on("failed", ({ error, by }) => { if (BROUGHT.includes(by)) this.failure.show(error); }); // where it was brought
    on("visible", (seen) => { if (!seen && this.open === "camera") this.show(null); });
  }

  #build() {
    this.files = h("input", {
      type: "file", accept: "image/*", class: "play-hidden", tabindex: -1, "aria-hidden": "true", "data-own": "file",
      onchange: () => this.#take(this.files.files, "upload"),
    });
    const way = (symbol, key, onclick, pressed) => button({ symbol, text: t(`crossing.${key}`), kind: "", pressed, onclick });
    this.ways = { camera: way("camera", "camera", () => this.#toggle("camera"), false), draw: way("draw", "draw", () => this.#toggle("draw"), false) };
    this.failure = errorLine();
    this.uploader = h("div", { class: "cx-uploader" },
      h("div", { class: "cx-ways", role: "group", "aria-label": t("crossing.bring") },
        way("upload", "upload", () => this.files.click()), way("paste", "paste", () => this.#paste()), this.ways.camera, this.ways.draw),
      h("p", { class: "play-note" }, t("crossing.drop_hint")), this.files, this.failure.element);
  }

  // ---- files and the clipboard ----------------------------------------------------------------------

  async #take(files, by) {
    this.failure.clear();
    const file = files[0];
    try {
      this.#bring(await readPicture(file), by);
    } catch (error) {
      this.failure.show(error);
    } finally {
      this.files.value = "";
    }
  }

  #bring(picture, by) {
    this.show(null);
    this.lab.choose(picture, by);
    emit("tried", { what: "crossing", by, direction: this.lab.direction });
  }

  /** A picture from the clipboard; where the browser hands out none, the keys do. */
  async #paste() {
    this.failure.clear();
    try {
      if (!navigator.clipboard?.read) throw new PlayError(t("crossing.paste_keys"));
      const items = await navigator.clipboard.read();
      const found = items.flatMap((item) => item.types.filter((type) => type.startsWith("image/")).map((type) => ({ item, type })))[0];
      if (!found) throw new PlayError(t("crossing.paste_none"));
      const blob = await found.item.getType(found.type);
      await this.#take([new File([blob], t("crossing.pasted"), { type: found.type })], "paste");
    } catch (error) {
      this.failure.show(error.sentence ? error : new PlayError(t("crossing.paste_keys")));
    }
  }

  // ---- camera and pad, beside the stage ---------------------------------------------------------------

  #toggle(way) {
    this.failure.clear();
    this.show(this.open === way ? null : way);
  }

  /** Open the camera or the pad, or neither (null). */
  show(way) {
    if (this.open === way) return;
    if (this.open === "camera") this.#endCamera();
    this.open = way;
    for (const [key, item] of Object.entries(this.ways)) press(item, key === way);
    this.own.replaceChildren(...(way ? [way === "camera" ? this.camera.element : this.drawing.element] : []));
    this.own.hidden = !way;
    this.onown(way);
    if (way === "camera") this.#beginCamera();
    if (way === "draw") this.drawing.pad.canvas.focus({ preventScroll: true });
  }

  #beginCamera() {
    this.camera.start();
    this.mirror = setInterval(() => {
      const frame = this.lab.busy || document.hidden ? null : this.camera.frame(MIRROR_SIDE);
      if (frame) this.lab.choose(ofCanvas(frame, t("crossing.camera_picture"), MIRROR_CHARS), "mirror", { passing: true });
    }, MIRROR_MS);
  }

  #endCamera() {
    clearInterval(this.mirror);
    this.camera.close();
  }

  #taken(canvas) {
    if (canvas) this.#bring(ofCanvas(canvas, t("crossing.camera_picture")), "camera");
  }

  /** An example from a strip puts camera and pad away. */
  #chosen(by) {
    if (by !== "back") this.failure.clear();
    if (by === "example" && this.open) this.show(null);
  }
}
