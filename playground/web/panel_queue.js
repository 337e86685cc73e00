// What is said while a run waits: its place, the expected wait as a range, a quiet ring, what to do
// meanwhile; and while it takes turns, rests, or the room is frozen.
import { button, h, setText, show, svg } from "./dom.js";
import * as store from "./store.js";

const { t, state } = store;
const RADIUS = 8;
const AROUND = 2 * Math.PI * RADIUS;
const TICK_MS = 1000;
const LONG_S = 5; // a wait for one's next turn that is worth a word
const MINUTE_S = 90; // from here on minutes are said

/** The wait between two estimates in words: "in about 20 to 40 s", "within 2 min", "any moment now". */
export function when(low, high) {
  if (!(high > 3)) return t("panel.when_now");
  const minutes = high >= MINUTE_S;
  const unit = t(minutes ? "panel.unit_min" : "panel.unit_s");
  const size = minutes ? 60 : 1;
  const step = minutes || high <= 15 ? 1 : 5;
  const from = Math.floor(low / size / step) * step;
  const to = Math.max(Math.ceil(high / size / step) * step, from + step);
  return from > 0 ? t("panel.when_range", { low: from, high: to, unit }) : t("panel.when_within", { high: to, unit });
}

/** What the server last told of the wait, brought forward to now: {low, high, share}. */
function wait(run, told) {
  const gone = (performance.now() - told) / 1000;
  const low = run.eta_low_s ?? (run.eta_s ?? 0) * 0.7;
  const high = run.eta_high_s ?? (run.eta_s ?? 0) * 1.5;
  const waited = (run.waiting_s ?? 0) + gone;
  const left = Math.max(0, (low + high) / 2 - gone);
  return { low: Math.max(0, low - gone), high: Math.max(0, high - gone), share: waited / (waited + left || 1) };
}

function queued(run, { low, high }) {
  if (run.position == null) return "";
  const ahead = Math.max(0, run.position - 1);
  const key = ahead === 0 ? "panel.queue_next" : ahead === 1 ? "panel.queue_one" : "panel.queue_many";
  return t(key, { count: ahead, when: when(low, high) });
}

function turns(run) {
  const others = run.turns_with ?? 0;
  const slice = run.slice_s ? t("panel.turns_slice", { seconds: Number(run.slice_s.toPrecision(2)) }) : "";
  if (!others) return t("panel.turns", { slice });
  return t(others === 1 ? "panel.turns_one" : "panel.turns_many", { count: others, slice });
}

/** Sentences for a shown state: {text, more, ring}. */
function words(run, shown, now) {
  if (shown === "queued") return { text: queued(run, now), meanwhile: true, ring: now.share };
  if (shown === "turns") {
    const between = run.state !== "running" && now.high >= LONG_S;
    return { text: turns(run), more: between ? t("panel.turns_next", { when: when(now.low, now.high) }) : "" };
  }
  if (shown === "resting") return { text: t("panel.resting") };
  if (shown === "frozen") return { text: run.message || t("panel.frozen") };
  return {};
}

/** Build the queue's part of the panel: {element, draw(run)}. */
export function queueView() {
  const arc = svg("circle", { cx: 10, cy: 10, r: RADIUS, class: "play-ring-arc", "stroke-dasharray": `0 ${AROUND}` });
  const ring = svg("svg", { viewBox: "0 0 20 20", class: "play-ring", "aria-hidden": "true" }, svg("circle", { cx: 10, cy: 10, r: RADIUS, class: "play-ring-track" }), arc);
  const text = h("span", { class: "play-queue-text" });
  const more = h("div", { class: "play-note" });
  const shipped = button(t("panel.meanwhile_open"), () => store.showDefault(), { kind: "small" });
  const meanwhile = h("div", { class: "play-note play-meanwhile" }, h("span", {}, t("panel.meanwhile")), shipped);
  const element = h("div", { class: "play-queue" }, h("div", { class: "play-queue-line" }, ring, text), more, meanwhile);
  let told = 0; // when the server last said something of the wait
  let last = "";
  let timer = null;

  function draw(run) {
    const facts = run ? JSON.stringify([run.id, run.state, run.position, run.eta_s, run.eta_low_s, run.eta_high_s, run.waiting_s]) : "";
    if (facts !== last) told = performance.now();
    last = facts;
    write();
  }

  function write() {
    clearTimeout(timer);
    const { run } = state;
    const shown = store.shownState(run);
    const said = run ? words(run, shown, wait(run, told)) : {};
    setText(text, said.text ?? "");
    setText(more, said.more ?? "");
    ring.toggleAttribute("hidden", said.ring === undefined); // SVG has no property of that name
    show(meanwhile, Boolean(said.meanwhile));
    show(shipped, Boolean(state.source?.run));
    show(element, Boolean(said.text));
    if (said.ring !== undefined) arc.setAttribute("stroke-dasharray", `${(AROUND * Math.min(1, said.ring)).toFixed(2)} ${AROUND}`);
    if (shown === "queued" || said.more) timer = setTimeout(write, TICK_MS);
  }

  return { element, draw };
}
