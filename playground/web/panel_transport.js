// Train, pause, step, stop, continue, fork, rewind; progress; what went wrong, where it was pressed.
import { duration, shown } from "./decode.js";
import { button, h, setText, show } from "./dom.js";
import * as fields from "./panel_fields.js";
import { queueView } from "./panel_queue.js";
import { rewindAction } from "./curves_settings.js";
import * as store from "./store.js";
import { datasetOf, modelOf } from "./store_catalogue.js";

const { t, state } = store;
const ENDED = new Set(["finished", "stopped", "failed", "interrupted", "diverged"]);
const CONTINUABLE = new Set(["finished", "stopped", "failed", "interrupted"]);

let parts = null;
let busy = false;

/** Whether Resume would set a run going. */
const still = (run) => run?.state === "paused" || store.shownState(run) === "resting";

/** A key or a button was pressed; returns whether something is done about it. */
export function press(what) {
  const run = state.run;
  const actions = {
    toggle: still(run) ? "resume" : store.training(run) ? "pause" : null,
    step: run?.state === "paused" ? "step" : null,
  };
  const name = actions[what];
  if (!name || !run.owner_is_you) return false;
  act(() => store.command(name));
  return true;
}

async function act(work) {
  if (busy) return;
  busy = true;
  complain(null);
  draw();
  try {
    await work();
  } catch (error) {
    if (!error.sentence) console.error(error);
    complain(error.sentence ?? String(error), error.detail);
    if (error.field) fields.refuse(error.field, error.sentence);
  } finally {
    busy = false;
    draw();
  }
}

function complain(sentence) {
  setText(parts.error, sentence ?? "");
  show(parts.error, Boolean(sentence));
}

function title(settings) {
  const preset = store.presetOf(settings.preset);
  if (preset) return preset.title;
  const data = datasetOf(settings.dataset);
  const named = store.own.runTitle?.(settings, data);
  return named ?? `${modelOf(settings.model)?.title ?? settings.model}, ${data?.title ?? settings.dataset}`;
}

/** Start a run; the one that trains here is stopped first: it is saved, and can be continued. */
async function begin(overrides = {}) {
  const settings = store.settings();
  const wrong = fields.firstProblem(settings);
  if (wrong) {
    fields.mark(settings);
    throw new store.PlayError(wrong.sentence, wrong.field);
  }
  fields.forgetRefusals();
  if (fields.isActive(state.run) && state.run.owner_is_you) await store.command("stop");
  await store.start({ title: title(settings), ...overrides });
}

/** Go on with the ended run; live hyperparameters that were changed since go with it. */
async function goOn() {
  const run = state.run;
  const now = store.settings();
  const wrong = fields.firstProblem(now);
  if (wrong) throw new store.PlayError(wrong.sentence, wrong.field);
  const total = run.max_steps && run.step < run.max_steps ? run.max_steps : run.step + now.max_steps;
  await store.command("continue", { max_steps: total });
  for (const field of store.schema(run.model)) {
    const value = now.config[field.name];
    if (field.live && now.model === run.model && value !== run.config[field.name]) {
      await store.command("set", { field: field.name, value });
    }
  }
  await store.attach(run.id);
}

/** What is on screen and could be forked: {resume, step, label}, or null. */
function forkable() {
  const { source, frame, run } = state;
  if (source?.checkpoint) {
    const found = state.catalogue.checkpoints.find((c) => c.name === source.checkpoint);
    const name = found?.title || source.checkpoint;
    return { resume: { checkpoint: source.checkpoint }, step: found?.step ?? 0, label: t("panel.fork_from_checkpoint", { name }) };
  }
  if (!source?.run || !run || source.run !== run.id) return null;
  const step = frame?.step ?? null;
  if (step === null && !ENDED.has(run.state) && !run.checkpoints?.length) return null;
  const at = step ?? run.step;
  return { resume: { run: run.id, step }, step: at, label: t("panel.fork_from_step", { step: at }) };
}

function fork() {
  const from = forkable();
  const amount = store.settings().max_steps;
  return begin({ resume: from.resume, max_steps: from.step + amount });
}

function drawButtons(run) {
  const active = fields.isActive(run);
  const mine = Boolean(run?.owner_is_you);
  const paused = still(run);
  parts.root.setAttribute("aria-busy", String(busy));
  parts.train.setAttribute("aria-disabled", String(busy)); // and not disabled: the keyboard stays there
  parts.pause.disabled = !mine || !(paused || store.training(run));
  setText(parts.pause, t(paused ? "panel.resume" : "panel.pause"));
  parts.step.disabled = !mine || run?.state !== "paused" || run.resting;
  parts.stop.disabled = !mine || !active;
  const canContinue = mine && CONTINUABLE.has(run?.state) && (run.checkpoints?.length || run.step > 0);
  show(parts.go, Boolean(canContinue));
  const from = forkable();
  show(parts.fork, Boolean(from));
  if (from) {
    setText(parts.fork, from.label);
    parts.fork.title = t("panel.fork_hint");
  }
}

function drawProgress(run) {
  const total = run?.max_steps ?? null;
  const share = total ? Math.min(1, run.step / total) : 0;
  show(parts.progress, Boolean(run));
  if (!run) return;
  parts.fill.style.width = `${(100 * share).toFixed(2)}%`;
  parts.bar.classList.toggle("open", !total && run.state === "running");
  parts.bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  const words = total
    ? t("panel.progress_steps", { step: run.step.toLocaleString("en"), total: total.toLocaleString("en") })
    : t("panel.progress_open", { step: run.step.toLocaleString("en") });
  parts.bar.setAttribute("aria-valuetext", words);
  setText(parts.steps, words);
  const value = (name, text) => setText(parts.facts[name], text);
  const kind = modelOf(run.model)?.kind;
  setText(parts.each, t({ points: "panel.points_per_s", text: "panel.tokens_per_s" }[kind] ?? "panel.samples_per_s"));
  value("epoch", shown(run.epoch));
  value("steps_per_s", shown(run.steps_per_s));
  const each = (run.samples_per_s ?? 0) * (kind === "text" ? run.config?.context ?? 1 : 1); // an example is a stretch
  value("samples_per_s", each ? Math.round(each).toLocaleString("en") : "–");
  value("elapsed", duration(run.elapsed_s));
  value("remaining", fields.isActive(run) ? duration(run.remaining_s) : "–");
  value("device", run.device ?? "–");
}

function drawState(run) {
  const now = store.shownState(run);
  parts.root.dataset.state = now;
  const label = t(`panel.state.${now}`);
  setText(parts.state, run ? `${label}${run.title ? ` · ${run.title}` : ""}` : label);
  parts.queue.draw(run);
  const bad = run && (run.state === "diverged" || run.state === "failed" || run.state === "interrupted");
  const told = ["queued", "turns", "running", "starting", "paused", "stopped", "finished"].includes(now);
  setText(parts.told, run && told ? run.message ?? "" : "");
  setText(parts.message, bad ? run.message ?? label : "");
  setText(parts.detail.lastChild, bad ? run.detail ?? "" : "");
  show(parts.detail, Boolean(bad && run.detail));
  const back = run?.owner_is_you && run.state === "diverged" ? run.rewind : null;
  show(parts.rewind, Boolean(back));
  if (back) setText(parts.rewind, rewindAction(run).label);
  show(parts.trouble, Boolean(bad && (run.message || run.detail)) || Boolean(back));
  setText(parts.viewer, run && !run.owner_is_you ? t("panel.viewer") : "");
  const checkpoint = state.source?.checkpoint;
  show(parts.shown, Boolean(run && checkpoint && run.step > 0));
  if (run && checkpoint) setText(parts.shown.firstChild, t("panel.showing_checkpoint", { name: checkpoint }));
}

function draw() {
  if (!parts) return;
  const run = state.run;
  drawButtons(run);
  drawProgress(run);
  drawState(run);
}

function fact(name) {
  const value = h("dd", { class: "play-number" }, "–");
  const label = h("dt", {}, t(`panel.${name}`));
  return { value, label, row: h("div", {}, label, value) };
}

/**
 * Where the keyboard goes after a button: Space must pause what was just started, not start it
 * again. A pointer leaves the button; a key moves from Train to Pause.
 */
function moveOn(event) {
  const pressed = event.target.closest("button");
  if (!pressed) return;
  if (event.detail > 0) pressed.blur();
  else if (pressed === parts.train) {
    const off = store.on("run", (run) => {
      if (run?.state !== "running") return;
      off();
      if (document.activeElement === parts.train) parts.pause.focus();
    });
  }
}

function build(element) {
  const made = {};
  made.train = button(t("panel.train"), () => act(begin), { kind: "primary", title: t("panel.train_hint"), id: store.idOf("train") });
  made.pause = button(t("panel.pause"), () => press("toggle"), { id: store.idOf("pause") });
  made.step = button(t("panel.step"), () => press("step"), { id: store.idOf("step") });
  made.stop = button(t("panel.stop"), () => act(() => store.command("stop")), { id: store.idOf("stop") });
  made.go = button(t("panel.continue"), () => act(goOn), { title: t("panel.continue_hint"), id: store.idOf("continue") });
  made.fork = button(t("panel.fork"), () => act(fork), { kind: "small", id: store.idOf("fork") });
  made.rewind = button("", () => act(rewindAction(state.run).act), { kind: "small", id: store.idOf("rewind") });
  made.state = h("span", {});
  made.queue = queueView();
  made.told = h("div", { class: "play-warn", role: "status" }); // by the server, of a run that is well
  made.fill = h("div", { class: "play-fill" });
  made.bar = h("div", {
    class: "play-bar", role: "progressbar", "aria-label": t("panel.progress"), "aria-valuemin": "0", "aria-valuemax": "100",
  }, made.fill);
  made.steps = h("div", { class: "play-steps play-number" });
  made.facts = {};
  const facts = ["epoch", "steps_per_s", "samples_per_s", "elapsed", "remaining", "device"].map((name) => {
    const { value, label, row } = fact(name);
    made.facts[name] = value;
    if (name === "samples_per_s") made.each = label;
    return row;
  });
  made.progress = h("div", { class: "play-progress" }, made.bar, made.steps, h("dl", { class: "play-facts" }, facts));
  made.error = h("div", { class: "play-error", role: "alert", hidden: true });
  made.message = h("span", {});
  made.detail = h("details", { class: "play-detail" }, h("summary", {}, t("panel.detail")), h("pre", {}));
  made.trouble = h("div", { class: "play-error", role: "alert" }, made.message, made.rewind, made.detail);
  made.viewer = h("div", { class: "play-note" });
  made.shown = h("div", { class: "play-note play-row" }, h("span", {}), button(t("panel.show_run"), () => store.useRun(), { kind: "small" }));
  made.root = h("section", { class: "play-card play-transport", "aria-label": t("panel.progress") },
    h("div", { class: "play-row play-buttons" }, made.train, made.pause, made.step, made.stop),
    h("div", { class: "play-row" }, made.go, made.fork),
    made.error,
    h("div", { class: "play-state" }, h("span", { class: "play-dot", "aria-hidden": "true" }), made.state),
    made.queue.element, made.told, made.progress, made.trouble, made.viewer, made.shown);
  made.pause.setAttribute("aria-keyshortcuts", "Space");
  made.step.setAttribute("aria-keyshortcuts", "ArrowRight");
  made.root.addEventListener("click", moveOn);
  element.replaceChildren(made.root);
  return made;
}

export function mountTransport(element) {
  parts = build(element);
  for (const type of ["run", "source", "frame", "settings", "catalogue"]) store.on(type, draw);
  draw();
}
