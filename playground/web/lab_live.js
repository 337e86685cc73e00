// What the page's store says of runs, sources and past frames, told to the lab.

import { debounce } from "./explorer_dom.js";
import { look, on, state, training } from "./store.js";

const SLOW_MS = 1500; // no preview within this time: ask instead
const END_MS = 500; // a run that ends is put away first
const LOOK_MS = 250;
const VIEW = "lab";

/** Whether the attached run is what is on screen, and trains. */
function running() {
  return Boolean(state.run && state.source?.run === state.run.id && training());
}

/**
 * Connect the lab with the store.
 * @param {import("./lab_state.js").Lab} lab
 * @returns {Array<() => void>} functions that end it
 */
export function follow(lab) {
  let timer = 0;
  let shown = null; // data set of what is on screen
  let sent = "{}"; // what the live run was told to draw

  const open = () => {
    clearTimeout(timer);
    lab.forget();
    lab.live = running();
    const data = dataset();
    if (data !== shown) lab.leaveData();
    shown = data;
    if (!state.source) {
      lab.drawing = null;
      return lab.setStatus("empty");
    }
    if (!lab.live) return lab.load();
    lab.setStatus("ready");
    sent = "{}";
    sendLook();
    if (!lab.data) lab.loadData();
    timer = setTimeout(() => { if (lab.drawing?.step === undefined) lab.load(); }, SLOW_MS);
    return undefined;
  };

  const dataset = () => {
    const saved = state.catalogue.checkpoints.find((c) => c.name === state.source?.checkpoint);
    return state.source?.checkpoint ? saved?.dataset ?? null : state.run?.dataset ?? null;
  };

  const sendLook = debounce(async () => {
    const args = lab.look();
    const text = JSON.stringify(args);
    if (!lab.live) return lab.redraw().catch((error) => lab.emit("error", error));
    if (text === sent) return undefined;
    sent = text;
    return look(VIEW, args);
  }, LOOK_MS);

  const paused = () => state.run?.state === "paused" && state.source?.run === state.run.id;
  const settle = debounce(() => { if (paused()) lab.redraw().catch(() => {}); }, LOOK_MS);

  const preview = ({ name, payload }) => {
    if (name !== VIEW || lab.past !== null) return;
    if (!lab.live && !paused()) return; // a run that has ended is asked exactly; these are older
    lab.take(payload);
    if (!lab.live) settle();
  };

  const status = () => {
    const was = lab.live;
    lab.live = running();
    if (was && !lab.live) {
      clearTimeout(timer);
      timer = setTimeout(() => { if (!lab.live) lab.load(); }, state.run?.state === "paused" ? 0 : END_MS);
    }
    if (!was && lab.live) sendLook();
    if (was !== lab.live) lab.setStatus(lab.status);
  };

  const frame = (past) => {
    const payload = past?.views?.[VIEW];
    lab.past = past ? past.step : null;
    if (payload) lab.take(payload);
    else if (!past && state.source) lab.redraw().catch((error) => lab.emit("error", error));
    lab.setStatus(lab.status);
  };

  lab.on("look", sendLook);
  queueMicrotask(open);
  return [on("source", open), on("preview", preview), on("status", status), on("run", status), on("frame", frame)];
}
