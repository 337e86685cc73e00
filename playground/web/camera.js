// The person's camera: its picture as it moves, and one that is taken of it.

import { button, errorLine, h } from "./explorer_dom.js";
import { PlayError, on, t } from "./store.js";

const WANTED = { width: { ideal: 640 }, height: { ideal: 640 } };
const TROUBLES = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "none", NotReadableError: "busy" };

export class Camera {
  /**
   * @param {{take: (canvas: HTMLCanvasElement) => void, onclose?: () => void}} calls `take` gets
   *   the picture that was taken
   */
  constructor({ take, onclose = () => {} }) {
    Object.assign(this, { onclose, facing: "user", stream: null });
    this.video = h("video", { class: "x-camera", playsinline: true, "aria-label": t("crossing.camera_label") });
    this.video.muted = true;
    this.failure = errorLine();
    this.shoot = button({ text: t("crossing.camera_take"), symbol: "camera", kind: "primary", disabled: true, onclick: () => take(this.frame()) });
    this.turn = button({ text: t("crossing.camera_turn"), kind: "", onclick: () => this.#turn(), hidden: true });
    this.element = h("div", { class: "x-stack" }, this.video, this.failure.element,
      h("div", { class: "x-line" }, this.shoot, this.turn,
        button({ text: t("crossing.close"), kind: "quiet", onclick: () => { this.close(); this.onclose(); } })));
    on("visible", (seen) => { if (!seen) this.close(); });
  }

  get open() {
    return Boolean(this.stream);
  }

  /** Ask for the camera and show what it sees; says in place why it cannot. */
  async start() {
    this.failure.clear();
    const turn = (this.asked = {});
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw new PlayError(t("crossing.camera_insecure"));
      const stream = await navigator.mediaDevices.getUserMedia({ video: { ...WANTED, facingMode: this.facing } });
      if (turn !== this.asked) { // closed while the person was being asked
        stopAll(stream);
        return;
      }
      this.stream = stream;
      this.video.srcObject = stream;
      this.video.classList.toggle("mirrored", this.facing === "user");
      await this.video.play();
      this.shoot.disabled = false;
      const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === "videoinput");
      this.turn.hidden = cameras.length < 2;
    } catch (error) {
      if (turn !== this.asked) return;
      this.failure.show(error.sentence ? error : new PlayError(t(`crossing.camera_${TROUBLES[error.name] ?? "failed"}`)));
    }
  }

  #turn() {
    this.facing = this.facing === "user" ? "environment" : "user";
    this.close();
    this.start();
  }

  close() {
    this.asked = null;
    if (this.stream) stopAll(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.shoot.disabled = true;
  }

  /** What the camera sees now, at most `longest` pixels a side, the way round that it is shown; null before there is a picture. */
  frame(longest = 1024) {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!this.stream || !width) return null;
    const scale = Math.min(1, longest / Math.max(width, height));
    const canvas = h("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
    const context = canvas.getContext("2d");
    if (this.facing === "user") context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return canvas;
  }
}

function stopAll(stream) {
  stream.getTracks().forEach((track) => track.stop());
}
