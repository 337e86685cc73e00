// What the page's store says of runs, sources and past frames, told to the sampler.

import { look, on, state, training } from "./store.js";
import { debounce, paced } from "./explorer_dom.js";

const LOOK_MS = 200;
const CHOSEN_MS = 1500; // how often the chosen sample of a live run is asked for
const SETTLE_MS = 200;
const END_MS = 500;
const SLOW_MS = 1500; // no preview within this time: ask for the samples instead

/**
 * Connect a sampler with the store.
 * @param {import("./dcgan_sampler.js").Sampler} sampler
 * @param {{takeLive: (payload: object, step: number) => void}} monitor what "monitor" goes to
 * @returns {Array<() => void>} functions that end it
 */
export function follow(sampler, monitor) {
  let fallback = 0;
  let sent = "{}";

  const running = () =>
    Boolean(state.run && state.source?.run === state.run.id && training());
  const pausing = () => state.run?.state === "paused" && sampler.status === "ready";

  const open = () => {
    clearTimeout(fallback);
    sampler.live = running();
    sampler.begin(known());
    if (!state.source) return sampler.setStatus("empty");
    if (!sampler.live) return sampler.load();
    fallback = setTimeout(() => { if (sampler.status !== "ready") sampler.load(); }, SLOW_MS);
    sendLook();
  };

  const sendLook = debounce(() => {
    if (!sampler.live) return;
    const args = sampler.drawing();
    const usual = args.seed === 0 && args.truncation === 1 && !("label" in args);
    const text = usual ? "{}" : JSON.stringify(args);
    if (text === sent) return;
    sent = text;
    look("samples", args);
  }, LOOK_MS);

  const chosenAgain = paced(() => { if (sampler.live && sampler.settled) sampler.look(); }, CHOSEN_MS);
  const settle = debounce(() => { if (pausing()) sampler.load(); }, SETTLE_MS);

  const preview = ({ name, payload, step }) => {
    if (name === "monitor" && payload.type === "views") monitor.takeLive(payload, step);
    if (name !== "samples" || payload.type !== "sheet") return;
    if (!sampler.live && !pausing()) return; // a run that has ended is asked exactly; these are older
    if (!sampler.live) settle(); // a single step: shown at once, then exactly
    sampler.takeLive(payload, step);
    chosenAgain();
  };

  const status = () => {
    const was = sampler.live;
    sampler.live = running();
    if (was && !sampler.live && sampler.status === "ready") {
      clearTimeout(fallback); // a run that ends is put away first; a paused one answers at once
      const wait = state.run?.state === "paused" ? 0 : END_MS;
      fallback = setTimeout(() => {
        if (sampler.live) return;
        sampler.load();
        sampler.emit("weights", { live: false });
      }, wait);
    }
    if (!was && sampler.live) sendLook();
    if (was !== sampler.live) sampler.emit("status", sampler.status);
  };

  const linked = (point) => {
    if (point?.from !== "link" || point.z.length !== (sampler.latentDim ?? point.z.length)) return;
    sampler.chooseNoise(point.z, null, "link");
  };

  queueMicrotask(() => {
    open();
    if (state.point) linked(state.point);
  });
  return [
    on("source", open), on("reset", () => { sent = "{}"; }), on("preview", preview),
    on("status", status), on("run", status), on("point", linked),
    on("frame", (frame) => sampler.showPast(frame)),
    sampler.on("set", () => sendLook()),
  ];
}

/** What is known of the source before anything was asked. */
function known() {
  const { run, source, catalogue } = state;
  const shown = source?.run && run?.id === source.run
    ? run : catalogue.checkpoints?.find((c) => c.name === source?.checkpoint);
  const dataset = catalogue.datasets?.find((d) => d.key === shown?.dataset);
  return { config: shown?.config, dataset: shown?.dataset ?? null, classNames: dataset?.classes, shape: dataset?.shape };
}
