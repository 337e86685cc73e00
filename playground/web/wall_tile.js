// One student on the teacher's wall.

import { button, h, setText, show, svg } from "./dom.js";
import { duration, shown } from "./decode.js";
import { t } from "./page_server.js";
import { handIcon } from "./room_icons.js";
import { RunPicture, sparkPoints } from "./room_picture.js";
import { confirm, dialog, formDialog, say } from "./wall_dialog.js";
import { act } from "./wall_server.js";
import { openPush } from "./wall_tools.js";

const ENDED = ["finished", "stopped", "diverged", "failed", "interrupted"];
const BROKEN = ["diverged", "failed"];
const NAMES = { // short names of models, as people say them
  vae: "VAE", ae: "Autoencoder", gan2d: "GAN on points", gan2d_atlas: "GAN atlas", dcgan: "DCGAN", cyclegan: "CycleGAN", pix2pix: "pix2pix", gpt: "GPT", rnn: "RNN", ngram: "n-gram", classifier: "Classifier",
};
const number = (n) => Number(n).toLocaleString("en");

/** The state to show: the run's own, or "none", "turns", "resting", "frozen". */
export function stateOf({ run }) {
  if (!run) return "none";
  if (ENDED.includes(run.state)) return run.state;
  if (run.frozen) return "frozen";
  if (run.resting) return "resting";
  return run.turns ? "turns" : run.state;
}

/** Whether the teacher should look here. */
export function needsHelp(student) {
  const wrong = student.alert && student.alert.level !== "note" && !ENDED.includes(student.run?.state);
  return Boolean(student.hand || BROKEN.includes(student.run?.state) || wrong);
}

export class Tile {
  /** @param {string} id @param {{soon: () => void}} wall `soon` asks for news at once */
  constructor(id, { soon }) {
    Object.assign(this, { id, soon, student: null, room: null });
    this.picture = new RunPicture("");
    this.badge = h("span", { class: "wall-state" });
    this.hand = h("span", { class: "wall-hand", hidden: true }, handIcon(), h("span", { class: "play-hidden" }));
    this.name = h("h3", { class: "wall-name" });
    this.model = h("p", { class: "wall-model" });
    this.curves = [0, 1].map((i) => svg("polyline", { class: `wall-line wall-line-${i}` }));
    this.spark = svg("svg", { class: "wall-spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", role: "img" }, this.curves);
    this.value = h("span", { class: "wall-value play-number" });
    this.bar = h("i");
    this.step = h("p", { class: "wall-step play-number" });
    this.alert = h("p", { class: "wall-alert" });
    this.spot = button(t("room.do_show"), () => this.#show(), { kind: "small wall-spot" });
    this.more = button("⋯", () => this.#menu(), { kind: "small quiet wall-more" });
    this.element = h("li", { class: "wall-tile play-card", dataset: { member: id } },
      h("div", { class: "wall-stage" }, this.picture.canvas, this.badge, this.hand),
      h("div", { class: "wall-about" }, h("div", { class: "wall-line-name" }, this.name, this.more), this.model,
        h("div", { class: "wall-curve" }, this.spark, this.value), h("div", { class: "wall-progress", "aria-hidden": "true" }, this.bar), this.step, this.alert, this.spot));
  }

  /** Take what the server says of the student. */
  tell(student, room) {
    const before = this.student;
    this.student = student;
    const { run } = student;
    if (before?.run?.id !== run?.id) this.picture.clear();
    const state = stateOf(student);
    this.element.dataset.state = state;
    this.element.classList.toggle("help", needsHelp(student));
    this.element.classList.toggle("away", !student.here);
    setText(this.name, student.nickname);
    setText(this.badge, t(`room.state_${state}`));
    const model = run ? NAMES[run.model] ?? run.model : "";
    setText(this.model, run ? [model, run.preset ?? run.dataset].join(" · ") : student.here ? t("room.tile_on", { tab: t(`shell.tab_${student.tab || "vae"}`) }) : t("room.tile_away"));
    this.picture.label(t("room.tile_picture", { name: student.nickname, model: model || t("room.state_none") }));
    this.#progress(run, state);
    this.#curve(student);
    this.#hand(student);
    const said = BROKEN.includes(state) ? run.message ?? "" : (student.alert && !ENDED.includes(state) ? student.alert.sentence : "");
    setText(this.alert, said);
    this.alert.title = said; // two lines of it are seen; its own page says it whole
    this.more.setAttribute("aria-label", t("room.do_more", { name: student.nickname }));
    this.tellRoom(room);
  }

  tellRoom(room) {
    this.room = room;
    const here = room.spotlight?.member === this.id;
    this.element.classList.toggle("shown", here);
    setText(this.spot, t(here ? "room.do_unshow" : "room.do_show"));
    this.spot.setAttribute("aria-pressed", String(here));
    this.spot.disabled = !here && !this.student?.run;
  }

  #progress(run, state) {
    const share = run?.max_steps ? Math.min(1, run.step / run.max_steps) : 0;
    this.bar.style.width = `${(100 * share).toFixed(1)}%`;
    let text = "";
    if (run && state === "queued" && run.position) {
      text = run.eta_s ? t("room.tile_queue_eta", { position: run.position, eta: duration(run.eta_s) }) : t("room.tile_queue", { position: run.position });
    } else if (run) {
      text = run.max_steps ? t("room.tile_step_of", { step: number(run.step), of: number(run.max_steps) }) : t("room.tile_step", { step: number(run.step) });
    }
    setText(this.step, text);
  }

  #curve({ spark, nickname }) {
    this.curves.forEach((line, i) => line.setAttribute("points", sparkPoints(spark[i]?.values ?? [])));
    const last = spark[0]?.values.at(-1);
    setText(this.value, last === undefined ? "" : shown(last));
    this.spark.setAttribute("aria-label", last === undefined ? t("room.state_none") : t("room.tile_curve", { name: nickname, value: shown(last) }));
  }

  #hand({ hand }) {
    show(this.hand, Boolean(hand));
    if (!hand) return;
    const minutes = Math.floor((Date.now() / 1000 - hand) / 60);
    const text = t("room.tile_hand", { ago: minutes < 1 ? t("room.ago_now") : t("room.ago_minutes", { n: minutes }) });
    setText(this.hand.lastChild, text);
    this.hand.title = text;
  }

  // ---- acting -----------------------------------------------------------------------------------

  async #do(action, more = {}, done = "") {
    try {
      await act(action, { member: this.id, ...more });
      if (done) say(done);
      this.soon();
    } catch (error) {
      say(error.sentence ?? String(error), true);
    }
  }

  #show() {
    const here = this.room.spotlight?.member === this.id;
    return this.#do("spotlight", here ? { member: null } : {});
  }

  #menu() {
    const { nickname: name, run, hand } = this.student;
    const item = (key, fn, { kind = "", able = true } = {}) => {
      const made = button(t(`room.do_${key}`, { name }), () => { menu.close(); fn(); }, { kind: `wall-item ${kind}`, id: `wall-do-${key}` });
      made.disabled = !able;
      return made;
    };
    const active = run && !ENDED.includes(run.state);
    const menu = dialog(name, h("div", { class: "wall-menu" },
      hand && item("lower", () => this.#do("lower")),
      item("push", () => openPush({ id: this.id, name })),
      item("send", () => this.#send(), { able: Boolean(run?.saved) }),
      item("rename", () => this.#rename()),
      item("end", () => this.#sure("end"), { kind: "danger", able: Boolean(active) }),
      item("remove", () => this.#sure("remove"), { kind: "danger" })),
    h("div", { class: "wall-ends" }, h("span", { class: "wall-space" }), button(t("room.close"), () => menu.close(), { kind: "quiet" })));
  }

  #send() {
    const name = this.student.nickname;
    return this.#do("push", { from: this.id }, t("room.sent", { name }));
  }

  async #sure(what) {
    const name = this.student.nickname;
    if (await confirm(t(`room.sure_${what}`, { name }), t(`room.yes_${what}`))) await this.#do(what);
  }

  #rename() {
    const input = h("input", { type: "text", id: "wall-rename", maxlength: "24", value: this.student.nickname, required: true });
    formDialog(t("room.rename_title", { name: this.student.nickname }), [h("label", {}, h("span", {}, t("room.nickname")), input)], {
      ok: t("room.ok"),
      send: async () => { await act("rename", { member: this.id, nickname: input.value }); this.soon(); },
    });
    input.select();
  }
}
