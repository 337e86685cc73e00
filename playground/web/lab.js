// The GAN lab: the large picture, the game beside it, slow motion, a pad for one's own data, and
// the stability atlas.

import { button, choice, ensureStyles, errorLine, h, setText } from "./explorer_dom.js";
import { Game } from "./lab_game.js";
import { follow } from "./lab_live.js";
import { Pad } from "./lab_pad.js";
import { useData } from "./lab_data.js";
import { Slow } from "./lab_slow.js";
import { Stage } from "./lab_stage.js";
import { Lab } from "./lab_state.js";
import { canStep, stepBy } from "./lab_steps.js";
import { emit, idOf, on, ready, state, t } from "./store.js";

const COUNTS = [1, 10, 100];
const WHO = ["discriminator", "generator", "both"];

/**
 * Mount the lab.
 * @param {HTMLElement} element
 */
export async function mount(element) {
  await Promise.all([ready, ensureStyles("explorer.css"), ensureStyles("lab.css")]);
  const lab = new Lab();
  const stage = new Stage(lab);
  const game = new Game(lab, { onlayer: (layer) => stage.toggle(layer) });
  const slow = new Slow(lab, { picture: stage.picture, game });
  const pad = makePad(stage);
  const root = h("div", { class: "x-explorer lab" },
    h("div", { class: "lab-above" }, stage.element, gameCard(game, slow)), atlasCard());
  stage.body.after(pad.element);
  element.replaceChildren(root);
  follow(lab);
  lab.on("drawing", ({ dReal, dFake }) => { if (!lab.live && lab.past === null) emit("tried", { what: "gap", value: dReal - dFake }); });
}

// ---- the game and its buttons -----------------------------------------------------------------------

function gameCard(game, slow) {
  let count = COUNTS[0];
  let busy = false;
  const failure = errorLine();
  const many = choice({
    label: t("lab.step_count"), value: count, options: COUNTS.map((n) => [n, t("lab.step_times", { n })]), onchange: (n) => { count = n; },
  });
  const buttons = WHO.map((who) => button({
    text: t(`lab.step_${who}`), label: t(`lab.step_${who}_help`), kind: `small lab-step ${who}`, onclick: () => act(who), "data-step": who,
  }));
  const begin = button({ text: t("lab.slow_open"), symbol: "play", label: t("lab.slow_open_help"), kind: "small lab-slow-open", "aria-label": null, onclick: () => (slow.open ? slow.close() : slow.start()) });

  async function act(who) {
    if (busy) return;
    busy = true;
    slow.close();
    failure.clear();
    draw();
    try {
      await stepBy(who, count);
    } catch (error) {
      if (!error.sentence) console.error(error);
      failure.show(error);
    } finally {
      busy = false;
      draw();
    }
  }

  function draw() {
    const may = canStep();
    for (const item of buttons) item.disabled = busy || !may;
    begin.disabled = busy || !state.source;
    begin.setAttribute("aria-pressed", String(slow.open));
  }

  slow.onopen = draw;
  for (const type of ["run", "source", "reset"]) on(type, draw);
  draw();
  return h("section", { class: "play-card lab-side", "aria-label": t("lab.game") },
    h("div", { class: "x-head" }, h("h3", { class: "play-title" }, t("lab.game"))),
    h("p", { class: "lab-about" }, t("lab.about")), game.element,
    h("div", { class: "lab-steps", role: "group", "aria-label": t("lab.step_title") },
      h("span", { class: "lab-label" }, t("lab.step_title")), many.element, buttons),
    failure.element, begin, slow.element);
}

// ---- one's own data -----------------------------------------------------------------------------------

function makePad(stage) {
  const pad = new Pad({
    onuse: async (points, file) => {
      await useData(points, file);
      close();
    },
    onclose: close,
  });

  function close() {
    pad.close();
    stage.drawing(false);
  }

  stage.ondraw = () => {
    stage.drawing(true);
    pad.open();
    emit("tried", { what: "pad" });
  };
  return pad;
}

// ---- the atlas ------------------------------------------------------------------------------------------

/** The stability atlas, loaded when it is opened. */
function atlasCard() {
  const place = h("div", { class: "lab-atlas" });
  const note = h("p", { class: "play-note" });
  const card = h("details", { class: "play-card lab-fold", id: idOf("atlas") },
    h("summary", {}, h("b", {}, t("lab.atlas_title")), " ", h("span", { class: "lab-fold-note" }, t("lab.atlas_note"))), note, place);
  let asked = false;
  card.addEventListener("toggle", async () => {
    if (!card.open || asked) return;
    asked = true;
    try {
      const { mountAtlas } = await import("./atlas.js");
      await mountAtlas(place);
      emit("tried", { what: "atlas" });
    } catch (error) {
      asked = false;
      setText(note, t("lab.atlas_missing"));
      console.warn("The stability atlas is not there:", error.message);
    }
  });
  return card;
}
