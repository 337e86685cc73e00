// What the page's store says of runs, sources, links and past frames, told to the box.

import { debounce, paced } from "./explorer_dom.js";
import { textOf, typedFirst } from "./text_branches.js";
import { KNOBS } from "./text_state.js";
import { on, state, training } from "./store.js";

const AGAIN_MS = 1500; // how often a run that trains changes what is shown
const END_MS = 500; // a run that ends is put away first
const SETTLE_MS = 200;
const VIEW = "sample";
const NAMES = { temperature: "temperature", top_k: "top_k", top_p: "top_p", repetition_penalty: "penalty", length: "length", seed: "luck" };
const MOST_LINKED = 1500; // characters of a text that a link takes along

/**
 * Connect the box with the store.
 * @param {import("./text_state.js").Writing} lab
 * @returns {Array<() => void>} functions that end it
 */
export function follow(lab) {
  let later = 0;
  const running = () => Boolean(state.run && state.source?.run === state.run.id && training());

  const open = () => {
    clearTimeout(later);
    lab.live = running();
    lab.begin(known());
    lab.setStatus(state.source ? "ready" : "empty");
  };

  const again = paced(() => {
    if (lab.status === "ready" && state.visible) lab.emit("weights", { live: lab.live });
  }, AGAIN_MS);
  const settle = debounce(again, SETTLE_MS);

  const preview = ({ name, step }) => {
    if (name !== VIEW || state.source?.run !== state.run?.id) return;
    lab.step = step;
    if (lab.live) again();
    else settle();
  };

  const status = () => {
    const was = lab.live;
    lab.live = running();
    if (was === lab.live) return;
    lab.emit("status", lab.status);
    if (was) later = setTimeout(again, state.run?.state === "paused" ? 0 : END_MS);
  };

  queueMicrotask(open);
  return [
    on("source", open), on("preview", preview), on("status", status), on("run", status), on("frame", (frame) => lab.showPast(frame)),
  ];
}

/** What is known of the source before anything was asked. */
function known() {
  const { run, source, catalogue } = state;
  const shown = source?.run && run?.id === source.run
    ? run : catalogue.checkpoints?.find((c) => c.name === source?.checkpoint);
  return { model: shown?.model ?? null, config: shown?.config ?? {}, dataset: shown?.dataset ?? null, title: shown?.title ?? "" };
}

// ---- links ----------------------------------------------------------------------------------------

let shared = null; // the text of this tab, for its links

/** What a link says of the box: what was typed, the knobs, and the tokens that were chosen. */
export function link() {
  if (!shared) return {};
  const { items } = shared.branch;
  const first = typedFirst(items);
  const mixed = items.slice(first.length).some(({ typed }) => typed); // typed after it was written: all of it is the beginning
  const knobs = Object.entries(NAMES).filter(([name]) => shared.knobs[name] !== KNOBS[name].value).map(([name, key]) => [key, shared.knobs[name]]);
  const turns = mixed ? [] : items.flatMap(({ forced, id }, i) => (forced && id !== undefined ? [`${i - first.length}-${id}`] : []));
  const written = mixed ? 0 : items.length - first.length;
  return { prompt: textOf(mixed ? items : first).slice(0, MOST_LINKED), written, ...Object.fromEntries(knobs), ...(turns.length ? { turns: turns.join("_") } : {}) };
}

/**
 * Take what the page's address says of the box.
 * @param {import("./text_state.js").Writing} lab
 * @returns {{prompt: string|null, written: number|null, turns: Array<[number, number]>}} turns: the number of a written token, and which it is
 */
export function restore(lab) {
  shared = lab;
  const query = new URLSearchParams(location.search);
  if (query.get("tab") !== state.tab) return { prompt: null, written: null, turns: [] };
  for (const [name, key] of Object.entries(NAMES)) {
    const value = query.get(key)?.trim() ? Number(query.get(key)) : NaN;
    const { min, max } = KNOBS[name];
    if (value >= min && value <= max) lab.turn(name, value);
  }
  const turns = (query.get("turns") ?? "").split("_").map((pair) => pair.split("-").map(Number));
  const written = /^\d{1,4}$/.test(query.get("written") ?? "") ? Number(query.get("written")) : null;
  return { prompt: query.get("prompt"), written, turns: turns.filter((pair) => pair.length === 2 && pair.every(Number.isInteger)).slice(0, 50) };
}
