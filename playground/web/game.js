// "You are the discriminator": pictures one by one, real or generated, against the clock; at the
// end the person's accuracy beside D's on the very same pictures.

import { button, errorLine, h } from "./explorer_dom.js";
import { calm, fill, setText } from "./dom.js";
import { decoded } from "./views_pictures.js";
import { cut, thumbnail } from "./dcgan_tiles.js";
import { announce, emit, t } from "./store.js";

const COUNT = 20;
const SECONDS = 45;
const SIZE = 196;
const TOLD_MS = 420; // how long the truth is shown before the next picture
const CALM_MS = 900;

export class Game {
  /** @param {import("./dcgan_sampler.js").Sampler} sampler */
  constructor(sampler) {
    Object.assign(this, { sampler, round: null, seen: false, best: 0 });
    this.#build();
    this.#idle();
    sampler.on("space", () => this.#idle());
  }

  #build() {
    this.failure = errorLine();
    this.begin = button({ text: t("dcgan.game_begin"), kind: "primary", onclick: () => this.start() });
    this.intro = h("div", { class: "x-stack dc-game-intro" }, h("p", {}, t("dcgan.game_intro", { count: COUNT, seconds: SECONDS })), this.begin);
    this.time = h("b");
    this.clock = h("i", { class: "dc-clock", "aria-hidden": "true" }, this.time);
    this.left = h("span", { class: "play-number play-note" });
    this.counted = h("span", { class: "play-number play-note" });
    this.picture = h("div", { class: "dc-game-picture" });
    this.truth = h("p", { class: "dc-truth", role: "status" });
    this.buttons = {
      generated: button({ text: t("dcgan.game_generated"), kind: "dc-answer generated", onclick: () => this.answer(true) }),
      real: button({ text: t("dcgan.game_real"), kind: "dc-answer real", onclick: () => this.answer(false) }),
    };
    this.play = h("div", { class: "dc-game-play", tabindex: -1, "aria-label": t("dcgan.game_label"), onkeydown: (event) => this.#key(event) },
      h("div", { class: "dc-game-head" }, this.counted, this.clock, this.left), this.picture, this.truth,
      h("div", { class: "dc-answers" }, this.buttons.generated, this.buttons.real), h("p", { class: "play-note dc-keys" }, t("dcgan.game_keys")), button({ text: t("dcgan.game_end"), kind: "small quiet", onclick: () => this.#finish() }));
    this.result = h("div", { class: "x-stack dc-game-result" });
    this.element = h("div", { class: "dc-game" }, this.failure.element, this.intro, this.play, this.result);
  }

  shown(on) {
    this.seen = on;
    if (!on && this.round) this.#idle();
  }

  #show(part) {
    for (const name of ["intro", "play", "result"]) this[name].hidden = name !== part;
  }

  #idle() {
    clearInterval(this.timer);
    clearTimeout(this.next);
    this.round = null;
    this.#show("intro");
  }

  // ---- a round ------------------------------------------------------------------------------------

  async start() {
    this.failure.clear();
    this.begin.disabled = true;
    try {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const answer = await this.sampler.ask("game", { seed, count: COUNT }, "game");
      if (!answer) return;
      const image = await decoded(answer.items.sheet);
      this.round = {
        sheet: answer.items.sheet, image, truth: answer.values.truth, scores: answer.values.scores,
        answers: [], started: performance.now(), told: false,
      };
      this.#show("play");
      this.#next();
      this.play.focus({ preventScroll: true });
      clearInterval(this.timer);
      this.timer = setInterval(() => this.#tick(), 100);
    } catch (error) {
      this.failure.show(error);
      this.#show("intro");
    } finally {
      this.begin.disabled = false;
    }
  }

  #tick() {
    if (!this.round) return;
    const left = Math.max(0, SECONDS - (performance.now() - this.round.started) / 1000);
    this.time.style.width = `${(100 * left) / SECONDS}%`;
    this.clock.classList.toggle("short", left < 10);
    setText(this.left, t("dcgan.game_left", { seconds: Math.ceil(left) }));
    if (left === 0) this.#finish();
  }

  #next() {
    const { round } = this;
    const index = round.answers.length;
    if (index >= COUNT) return this.#finish();
    round.told = false;
    fill(this.picture, thumbnail(cut(round.image, round.sheet, index), SIZE, t("dcgan.game_picture", { n: index + 1, count: COUNT })));
    this.picture.dataset.truth = "";
    setText(this.truth, "");
    setText(this.counted, t("dcgan.game_count", { n: index + 1, count: COUNT }));
    return undefined;
  }

  /** The person says whether the picture is generated. */
  answer(generated) {
    const { round } = this;
    if (!round || round.told || round.answers.length >= COUNT) return;
    const right = round.truth[round.answers.length] === generated;
    const truth = round.truth[round.answers.length] ? "generated" : "real";
    round.answers.push({ generated, right });
    round.told = true;
    this.picture.dataset.truth = right ? "right" : "wrong";
    setText(this.truth, t(right ? "dcgan.game_right" : "dcgan.game_wrong", { truth: t(`dcgan.game_was_${truth}`) }));
    this.next = setTimeout(() => { if (this.round === round) this.#next(); }, calm() ? CALM_MS : TOLD_MS);
  }

  #key(event) {
    const generated = { ArrowLeft: true, g: true, G: true, ArrowRight: false, r: false, R: false }[event.key];
    if (event.key === " ") event.stopPropagation(); // not the page's pause
    if (generated === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.answer(generated);
  }

  // ---- the end ------------------------------------------------------------------------------------

  #finish() {
    const { round } = this;
    clearInterval(this.timer);
    clearTimeout(this.next);
    this.round = null;
    const count = round.answers.length;
    this.#show("result");
    if (!count) {
      fill(this.result, h("p", {}, t("dcgan.game_none")), this.#again());
      return;
    }
    const mine = round.answers.filter((a) => a.right).length / count;
    const judge = round.answers.filter((_, i) => round.scores[i] <= 0.5 === round.truth[i]).length / count;
    const best = Math.max(this.best, mine);
    this.best = best;
    fill(this.result, h("p", { class: "dc-game-verdict" }, t(verdict(mine, judge))),
      h("div", { class: "dc-game-bars" }, line(t("dcgan.game_you"), mine, "you"), line(t("dcgan.game_d"), judge, "judge"), line(t("dcgan.game_chance"), 0.5, "chance")),
      h("p", { class: "play-note" }, t("dcgan.game_of", { n: count })), this.#again(), this.#all(round));
    announce(t("dcgan.game_said", { mine: percent(mine), judge: percent(judge) }));
    emit("tried", { what: "game", count, mine, judge });
    this.result.querySelector("button")?.focus({ preventScroll: true });
  }

  #again() {
    return h("div", { class: "x-line" }, button({ text: t("dcgan.game_again"), kind: "primary", onclick: () => this.start() }));
  }

  /** Every picture of the round, with the truth and who was right. */
  #all(round) {
    const tiles = round.answers.map((a, i) => {
      const truth = round.truth[i];
      const judge = round.scores[i] <= 0.5 === truth;
      const said = t("dcgan.game_tile", {
        truth: t(truth ? "dcgan.generated" : "dcgan.real"), you: t(a.right ? "dcgan.right" : "dcgan.wrong"), d: t(judge ? "dcgan.right" : "dcgan.wrong"),
      });
      return h("figure", { class: `dc-game-tile ${truth ? "generated" : "real"}`, title: said }, thumbnail(cut(round.image, round.sheet, i), 48, said),
        h("figcaption", {}, mark(a.right), mark(judge)));
    });
    return h("div", {}, h("p", { class: "play-note" }, t("dcgan.game_tiles")), h("div", { class: "dc-game-tiles" }, tiles));
  }
}

const percent = (share) => `${Math.round(100 * share)} %`;
const mark = (right) => h("span", { class: right ? "right" : "wrong", "aria-hidden": "true" }, right ? "✓" : "✗");

function verdict(mine, judge) {
  if (mine > judge + 0.02) return "dcgan.game_won";
  return mine < judge - 0.02 ? "dcgan.game_lost" : "dcgan.game_even";
}

function line(name, share, kind) {
  return h("div", { class: `dc-meter ${kind}` }, h("span", {}, name), h("i", { class: "dc-bar" }, h("b", { style: { width: `${100 * share}%` } })), h("span", { class: "play-number" }, percent(share)));
}
