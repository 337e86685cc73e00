// Play the frames of a strip: one large picture, play and pause, a scrubber, the speed.

import { button, h, icon, slider, picker } from "./explorer_dom.js";
import { PictureView, decoded } from "./views_pictures.js";
import { t } from "./store.js";

const SIZE = 196;
const SPEEDS = [6, 12, 24, 48];

export class Player {
  /** @param {{onframe: (index: number) => void, onplay: () => void}} calls */
  constructor({ onframe, onplay }) {
    Object.assign(this, { onframe, onplay, speed: 24, index: 0, direction: 1, playing: false });
    this.view = new PictureView({ size: SIZE, label: t("explorer.walk_frame") });
    this.toggle = button({ symbol: "play", label: t("explorer.play"), onclick: () => (this.playing ? this.pause() : this.play(true)) });
    this.scrub = slider({
      label: t("explorer.walk_position"), hideLabel: true, min: 0, max: 1, step: 1, value: 0, format: (i) => String(i + 1),
      oninput: (i) => { this.pause(); this.seek(i); },
    });
    this.rate = picker({
      label: t("explorer.speed"), value: this.speed, options: SPEEDS.map((s) => [s, t("explorer.per_second", { count: s })]),
      onchange: (value) => { this.speed = Number(value); },
    });
    this.element = h("div", { class: "x-player" }, this.view.element,
      h("div", { class: "x-line" }, this.toggle, this.scrub.element), this.rate.element);
  }

  /** Take a strip of frames; the place in it is kept. */
  async load(sheet, count) {
    const image = await decoded(sheet);
    this.frames = { image, sheet, count };
    this.tile ??= document.createElement("canvas");
    [this.tile.height, this.tile.width] = sheet.tile;
    this.view.reshape([sheet.tile[0], sheet.tile[1]]);
    this.scrub.input.max = count - 1;
    this.seek(Math.min(this.index, count - 1));
  }

  seek(index) {
    if (!this.frames) return;
    const { image, sheet, count } = this.frames;
    this.index = index;
    const [hgt, w] = sheet.tile;
    this.tile.getContext("2d").drawImage(image, index * w, 0, w, hgt, 0, 0, w, hgt);
    this.view.draw(this.tile, t("explorer.walk_alt", { index: index + 1, count }));
    this.scrub.set(index);
    this.onframe(index);
  }

  play(byPerson = false) {
    if (this.playing || !this.frames) return;
    this.playing = true;
    this.#show();
    if (byPerson) this.onplay();
    let last = performance.now();
    const turn = (now) => {
      if (!this.playing) return;
      if (now - last >= 1000 / this.speed) {
        last = now;
        this.#advance();
      }
      requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
  }

  /** There and back again. */
  #advance() {
    const last = this.frames.count - 1;
    if (this.index + this.direction > last || this.index + this.direction < 0) this.direction *= -1;
    this.seek(Math.min(Math.max(this.index + this.direction, 0), last));
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.#show();
  }

  #show() {
    this.toggle.replaceChildren(icon(this.playing ? "pause" : "play"));
    const label = t(this.playing ? "explorer.pause" : "explorer.play");
    this.toggle.setAttribute("aria-label", label);
    this.toggle.title = label;
  }
}
