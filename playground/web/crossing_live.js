// What the page's store says of runs, sources, links and past frames, told to what crosses over.

import { debounce, paced } from "./explorer_dom.js";
import { DIRECTIONS } from "./crossing_state.js";
import { look, on, state, training } from "./store.js";

const LOOK_MS = 200;
const EXACT_MS = 2500; // how often a live run is asked for more than its pictures
const SETTLE_MS = 200;
const END_MS = 500;
const SLOW_MS = 1500; // no preview within this time: ask for the translation instead
const VIEW = "translations";

/**
 * Connect what crosses over with the store.
 * @param {import("./crossing_state.js").Crossing} lab
 * @returns {Array<() => void>} functions that end it
 */
export function follow(lab) {
  let fallback = 0;
  let sent = "{}";

  const running = () =>
    Boolean(state.run && state.source?.run === state.run.id && training());
  const pausing = () => state.run?.state === "paused" && lab.status === "ready";

  const open = () => {
    clearTimeout(fallback);
    lab.live = running();
    lab.begin(known());
    if (!state.source) return lab.setStatus("empty");
    if (!lab.live) return lab.translate();
    fallback = setTimeout(() => { if (lab.status !== "ready") lab.translate(); }, SLOW_MS);
    sendLook();
  };

  /** The chosen picture goes with the run: it is the first of those that it draws. */
  const sendLook = debounce(() => {
    if (!lab.live) return;
    const args = lab.usual ? {} : { ...lab.pictureArgs(), direction: lab.direction };
    const text = JSON.stringify(args);
    if (text === sent) return;
    sent = text;
    look(VIEW, args);
  }, LOOK_MS);

  const exactly = paced(() => { if (lab.live && lab.settled && state.visible) lab.translate(); }, EXACT_MS);
  const settle = debounce(() => { if (pausing()) again(); }, SETTLE_MS);
  const again = () => {
    lab.translate();
    lab.emit("weights", { live: false });
  };

  const preview = ({ name, payload, step }) => {
    if (name !== VIEW || payload.type !== "sheet") return;
    if (!lab.live && !pausing()) return; // a run that has ended is asked exactly; these are older
    if (!lab.live) settle(); // a single step: shown at once, then exactly
    lab.takeLive(payload, step);
    exactly();
  };

  const status = () => {
    const was = lab.live;
    lab.live = running();
    if (was && !lab.live && lab.status === "ready") {
      clearTimeout(fallback); // a run that ends is put away first; a paused one answers at once
      const wait = state.run?.state === "paused" ? 0 : END_MS;
      fallback = setTimeout(() => { if (!lab.live) again(); }, wait);
    }
    if (!was && lab.live) sendLook();
    if (was !== lab.live) lab.emit("status", lab.status);
  };

  queueMicrotask(() => {
    restore(lab);
    open();
  });
  return [
    on("source", open), on("reset", () => { sent = "{}"; }), on("preview", preview),
    on("status", status), on("run", status), on("frame", (frame) => lab.showPast(frame)),
    lab.on("chosen", sendLook),
  ];
}

/** What is known of the source before anything was asked. */
function known() {
  const { run, source, catalogue } = state;
  const shown = source?.run && run?.id === source.run
    ? run : catalogue.checkpoints?.find((c) => c.name === source?.checkpoint);
  const dataset = catalogue.datasets?.find((d) => d.key === shown?.dataset);
  return {
    model: shown?.model ?? null, config: shown?.config, dataset: shown?.dataset ?? null,
    domains: dataset?.domains, paired: dataset?.paired, side: dataset?.shape?.at(-1),
  };
}

// ---- links ----------------------------------------------------------------------------------------

let shared = null; // what crosses over on this tab, for its links

/** What a link says of the stage: the example, and in which direction. */
export function link() {
  if (!shared) return {};
  const { index, split } = shared.chosen;
  return {
    ...(index === undefined ? {} : { example: split === "test" ? index : `${split}-${index}` }),
    ...(shared.direction === DIRECTIONS[0] ? {} : { direction: shared.direction }),
  };
}

/** Take what the page's address says of the stage. */
function restore(lab) {
  shared = lab;
  const query = new URLSearchParams(location.search);
  if ((query.get("tab") ?? state.tab) !== state.tab) return;
  const example = /^(?:(train|test)-)?(\d{1,6})$/.exec(query.get("example") ?? "");
  if (example) lab.chosen = { index: Number(example[2]), split: example[1] ?? "test", by: "link" };
  if (DIRECTIONS.includes(query.get("direction"))) lab.direction = query.get("direction");
}
