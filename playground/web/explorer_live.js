// What the page's store says of runs, sources and past frames, told to the space.

import { look, on, state, training } from "./store.js";
import { debounce, paced } from "./explorer_dom.js";

const PLANE_MS = 4000; // how often the plane of a live run of more than two dimensions is read
const LOOK_MS = 250;
const SETTLE_MS = 200;
const END_MS = 500;
const SLOW_MS = 1500; // no preview within this time: ask for the map instead

/**
 * Connect a space with the store.
 * @param {import("./explorer_space.js").Space} space
 * @param {{atlas: object, grid: object, reconstructions: object}} views what previews go to
 * @returns {Array<() => void>} functions that end it
 */
export function follow(space, views) {
  let fallback = 0;

  const running = () =>
    Boolean(state.run && state.source?.run === state.run.id && training());

  const open = () => {
    clearTimeout(fallback);
    space.live = running();
    space.begin(known());
    if (!state.source) return space.setStatus("empty");
    if (!space.live) return space.load();
    fallback = setTimeout(() => { if (space.status !== "ready") space.load(); }, SLOW_MS);
    sendLooks();
  };

  // A look makes the run draw all its views at once, so only what differs from the usual is sent.
  let sent = {};
  const sendLooks = debounce(() => {
    if (!space.live) return;
    const looks = { grid: views.grid.look(), atlas: views.atlas.look(), map: space.look() };
    for (const [name, args] of Object.entries(looks)) {
      const text = JSON.stringify(args);
      if (text === (sent[name] ?? "{}")) continue;
      sent[name] = text;
      look(name, args);
    }
  }, LOOK_MS);

  const readPlane = paced(() => { if (space.live && space.dim > 2) space.load(); }, PLANE_MS);

  const takeMap = (drawn, kept) => {
    // What the timeline keeps is the first points only: a slice of the whole map here.
    const total = kept ? Math.max(drawn.total, space.present.total) : drawn.total;
    const payload = { ...drawn, total };
    const first = space.status !== "ready";
    if (!first && space.plane && payload.axes[0] !== space.plane.names[0]) return;
    space.takeLive(payload);
    const whole = payload.start === 0 && decodedCount(payload) >= payload.total;
    if (first && (!whole || space.dim > 2 || !space.classNames.length)) space.load();
    readPlane();
  };

  const pausing = () => state.run?.state === "paused" && space.status === "ready";
  const settle = debounce(() => { if (pausing()) space.load(); }, SETTLE_MS);

  const preview = ({ name, payload, step, kept }) => {
    if (!space.live && !pausing()) return; // a run that has ended is asked exactly; these are older
    if (!space.live) settle(); // a single step: shown at once, then exactly
    space.step = step;
    if (payload.type === "points" && name === "map") takeMap(payload, kept);
    else if (name === "grid") views.grid.takeLive(payload);
    else if (name === "atlas") {
      views.atlas.takeLive(payload);
      space.emit("weights", { live: true });
    } else if (name === "reconstructions") views.reconstructions.takeLive(payload);
  };

  const status = () => {
    const was = space.live;
    space.live = running();
    if (was && !space.live && space.status === "ready") {
      clearTimeout(fallback); // a run that ends is put away first; a paused one answers at once
      fallback = setTimeout(() => { if (!space.live) space.load(); }, state.run?.state === "paused" ? 0 : END_MS);
    }
    if (!was && space.live) sendLooks();
    if (was !== space.live) space.emit("status", space.status);
  };

  if (state.source || state.catalogue?.checkpoints) queueMicrotask(open);
  return [
    on("source", open), on("reset", () => { sent = {}; }), on("preview", preview), on("status", status), on("run", status),
    on("frame", (frame) => space.showPast(frame)),
    on("point", (point) => {
      if (point?.from !== "link") return;
      if (space.status !== "ready") space.point = null; // the linked one is taken when the map is there
      else if (point.z?.length === space.dim) space.moveTo({ z: point.z }, "link");
    }),
    space.on("choice", sendLooks), space.on("base", sendLooks), space.on("look", sendLooks),
  ];
}

function decodedCount(payload) {
  return Math.floor((payload.xy.length * 3) / 4 / 8);
}

/** What is known of the source before anything was asked. */
function known() {
  const { run, source, catalogue } = state;
  const shown = source?.run && run?.id === source.run
    ? run : catalogue.checkpoints?.find((c) => c.name === source?.checkpoint);
  const dataset = catalogue.datasets?.find((d) => d.key === shown?.dataset);
  return { dim: shown?.config?.latent_dim, classNames: dataset?.classes, shape: dataset?.shape };
}
