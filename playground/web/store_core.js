// State and listeners of one tab: what every module of the tab stands on. All tabs load the same
// files from addresses of their own (…/t-<tab>/…), so each has its own of all that stands here.
import { about, onPage, visibleTab } from "./page.js";
import { PlayError, api, t } from "./page_server.js";

export { announce, notify } from "./page.js";
export { PlayError, api, base, owner, remember, remembered, shared, t } from "./page_server.js";

const tab = /\/t-(\w+)\/[^/]*$/.exec(import.meta.url)?.[1] ?? Object.keys(about)[0];

/** The id of a thing of this tab: "train" -> "play-vae-train". */
export const idOf = (name) => `play-${tab}-${name}`;

/** What the tab says of itself (tab_<tab>.js); there once the store is ready. */
export let own = {};

/** For store.js. */
export function setOwn(module) {
  own = module;
}

export const state = {
  tab,
  visible: visibleTab() === tab, // hidden tabs get no events
  model: null,
  dataset: null,
  source: null, // {checkpoint: name} | {run: id}: what the explorer shows
  run: null, // RunView of the attached run
  fresh: false, // whether this page has just started it (else it was found or opened)
  catalogue: { models: [], datasets: [], checkpoints: [], published: [], limits: {} },
  point: null, // {z, u, from}
  frame: null, // a past frame of the timeline, or null = live
  pin: null,
  connected: true,
};

// ---- listeners --------------------------------------------------------------------------------

const listeners = new Map();

/** Call `fn(detail)` at every event of this type; returns the function that ends it. */
export function on(type, fn) {
  if (!listeners.has(type)) listeners.set(type, new Set());
  listeners.get(type).add(fn);
  return () => off(type, fn);
}

export function off(type, fn) {
  listeners.get(type)?.delete(fn);
}

export function emit(type, detail) {
  if (type === "point") state.point = detail;
  if (type === "frame") state.frame = detail;
  if (type === "pin") state.pin = detail;
  for (const fn of [...(listeners.get(type) ?? [])]) {
    try {
      fn(detail);
    } catch (error) {
      console.error(`A listener of "${type}" failed`, error);
    }
  }
}

onPage("visible", (now) => {
  if (state.visible === (now === tab)) return;
  state.visible = now === tab;
  emit("visible", state.visible);
});

// ---- asking for views ---------------------------------------------------------------------------

const lanes = new Map(); // key -> {busy, waiting}

/**
 * Ask for a view of what is explored now. With `latest: key` at most one request of that key is
 * in flight, and of those that wait only the newest is sent; the others never resolve.
 */
export function explore(view, args = {}, { latest, signal, source } = {}) {
  const send = () => {
    const shown = source ?? state.source;
    if (!shown) return Promise.reject(new PlayError(t("shell.nothing_to_explore")));
    return api(`explore/${view}`, { body: { source: shown, args }, signal });
  };
  if (!latest) return send();
  const lane = lanes.get(latest) ?? { busy: false, waiting: null };
  lanes.set(latest, lane);
  return new Promise((resolve, reject) => {
    const run = async () => {
      lane.busy = true;
      const asked = state.source;
      try {
        const data = await send();
        // An answer on the way to a newer one is shown, unless it is about something else by now.
        if (!lane.waiting || state.source === asked) resolve(data);
      } catch (error) {
        if (!lane.waiting) reject(error);
      } finally {
        lane.busy = false;
        const next = lane.waiting;
        lane.waiting = null;
        next?.();
      }
    };
    if (lane.busy) lane.waiting = run;
    else run();
  });
}
