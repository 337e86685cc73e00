// What cannot be seen in a translation: its finest structure, many times stronger.

import { h, slider } from "./explorer_dom.js";
import { Figure, onWhite } from "./crossing_figures.js";
import { t } from "./store.js";

const GREY = 127.5;

export class Magnifier {
  constructor() {
    this.gain = 12;
    this.given = new Figure({ label: t("cyclegan.fine_given") });
    this.made = new Figure({ label: t("cyclegan.fine_made") });
    const gain = slider({
      label: t("cyclegan.gain"), min: 1, max: 64, step: 1, value: this.gain, format: (v) => t("cyclegan.times", { ratio: v }),
      oninput: (v) => { this.gain = v; this.#draw(); },
    });
    this.element = h("section", { class: "cy-box cy-magnifier" }, h("h4", { class: "x-sub" }, t("cyclegan.magnifier")),
      h("div", { class: "cy-strip" }, this.given.element, this.made.element), gain.element,
      h("p", { class: "play-note" }, t("cyclegan.magnifier_note")));
  }

  show(given, made, name) {
    Object.assign(this, { pictures: [given, made], name });
    this.#draw();
  }

  #draw() {
    const [given, made] = this.pictures ?? [];
    this.given.element.hidden = !given;
    if (given) this.given.draw(fine(given, this.gain));
    if (made) this.made.draw(fine(made, this.gain));
    this.given.say(t("cyclegan.fine_given"));
    this.made.say(t("cyclegan.fine_of", { name: this.name ?? "" }));
  }
}

/** A picture less the mean of its 3 x 3 neighbours, `gain` times, on grey. */
function fine(picture, gain) {
  const [width, height] = [picture.naturalWidth ?? picture.width, picture.naturalHeight ?? picture.height];
  const data = onWhite(picture, width, height);
  const out = new ImageData(width, height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      for (let c = 0; c < 3; c += 1) out.data[at + c] = GREY + gain * (data[at + c] - around(data, x, y, c, width, height));
      out.data[at + 3] = 255;
    }
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(out, 0, 0);
  return canvas;
}

function around(data, x, y, c, width, height) {
  let sum = 0;
  for (let dy = -1; dy <= 1; dy += 1) {
    const row = Math.min(Math.max(y + dy, 0), height - 1) * width;
    for (let dx = -1; dx <= 1; dx += 1) sum += data[4 * (row + Math.min(Math.max(x + dx, 0), width - 1)) + c];
  }
  return sum / 9;
}
