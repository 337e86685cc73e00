// What stands at the single controls: which ones the model has, what is wrong, what is not live.
import { setText } from "./dom.js";
import { idOf, schema, state, t } from "./store.js";

const ACTIVE = new Set(["queued", "starting", "running", "paused", "parked"]);
const REVEAL_FRAMES = 60;
const refusals = new Map(); // field -> {sentence, value}: what the server refused

export const isActive = (run) => Boolean(run) && ACTIVE.has(run.state);

/** Folds mount what they hold when they open: mark it then. */
export function place() {
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".play-fold")) setTimeout(() => last && mark(last), 60);
  });
}

/** A group's name as a part of an id, as `slug` in controls.py does. */
const slug = (group) => group.toLowerCase().replace(/[^a-z0-9]+/g, "-");
const foldOf = ({ group, advanced }) => (group || advanced
  ? document.getElementById(idOf(`fold-${slug(group || t("panel.more"))}`)) : null);

/** Open the fold in which a hyperparameter's control is; resolves to the control's place, or null. */
export async function reveal(name) {
  const field = schema().find((f) => f.name === name);
  const fold = field && foldOf(field);
  if (fold && !block(name)?.getClientRects().length) {
    fold.querySelector("button.label-wrap:not(.open)")?.click();
    for (let frame = 0; frame < REVEAL_FRAMES && !block(name); frame += 1) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    if (last) mark(last);
  }
  return block(name);
}

const block = (name) => document.getElementById(idOf(name));
const shown = (x) => (Math.abs(x) >= 1e-4 || x === 0 ? String(x) : x.toExponential());

/** The sentence that says what is wrong with a value, or null. */
export function problem(field, value) {
  if (field.kind === "bool" || field.kind === "choice") return null;
  if (typeof value !== "number" || !Number.isFinite(value)) return t("panel.needs_number", { label: field.label });
  const whole = field.kind === "int";
  if (value >= field.minimum && value <= field.maximum && (!whole || Number.isInteger(value))) return null;
  return t(whole ? "panel.bounds_whole" : "panel.bounds", {
    label: field.label, minimum: shown(field.minimum), maximum: shown(field.maximum), value: shown(value),
  });
}

/** The first thing that is wrong with these settings: {field, sentence}, or null. */
export function firstProblem(settings) {
  for (const field of schema(settings.model)) {
    const sentence = problem(field, settings.config[field.name]);
    if (sentence) return { field: field.name, sentence };
  }
  const steps = { label: t("panel.amount"), kind: "int", minimum: 1, maximum: state.catalogue.limits?.max_steps ?? 1e7 };
  const seed = { label: t("panel.seed"), kind: "int", minimum: 0, maximum: state.catalogue.limits?.max_seed ?? 2 ** 31 - 1 };
  const amount = problem(steps, settings.max_steps);
  if (amount) return { field: "amount", sentence: amount };
  const seedProblem = problem(seed, settings.seed);
  return seedProblem ? { field: "seed", sentence: seedProblem } : null;
}

/** Remember what the server refused, and show it at its control. */
export function refuse(name, sentence) {
  const field = { max_steps: "amount" }[name] ?? name;
  if (!field || !last) return;
  refusals.set(field, { sentence, value: last.config[field] });
  mark(last);
  reveal(field).then((place) => place?.scrollIntoView({ block: "nearest" }));
}

export function forgetRefusals() {
  refusals.clear();
}

function note(name, text, kind) {
  const at = block(name);
  if (!at) return;
  let node = at.querySelector(":scope > .play-field-note");
  if (!node && !text) return;
  if (!node) {
    node = document.createElement("div");
    node.setAttribute("role", "status");
    at.append(node);
  }
  node.className = `play-field-note ${kind}`;
  setText(node, text ?? "");
  at.classList.toggle("play-invalid", kind === "wrong" && Boolean(text));
}

let last = null;

/** Bring every control's note up to date. */
export function mark(settings) {
  last = settings;
  const run = state.run;
  const active = isActive(run) && run.owner_is_you;
  const known = new Set(schema(settings.model).map((f) => f.name));
  for (const model of state.catalogue.models) {
    for (const field of model.schema) block(field.name)?.classList.toggle("play-absent", !known.has(field.name));
  }
  for (const field of schema(settings.model)) {
    const value = settings.config[field.name];
    const refused = refusals.get(field.name);
    if (refused && refused.value !== value) refusals.delete(field.name);
    const wrong = problem(field, value) ?? refusals.get(field.name)?.sentence;
    if (wrong) note(field.name, wrong, "wrong");
    else if (active && run.model === settings.model && value !== run.config[field.name] && !field.live) {
      note(field.name, t("panel.next_train"), "later");
    } else note(field.name, "", "");
    block(field.name)?.classList.toggle("play-is-live", active && field.live);
  }
  markFolds(settings);
  const other = firstProblem(settings);
  for (const name of ["amount", "seed"]) {
    const wrong = other?.field === name ? other.sentence : refusals.get(name)?.sentence;
    note(name, wrong ?? "", wrong ? "wrong" : "");
  }
  const waiting = active && settings.dataset !== run.dataset ? t("panel.next_train") : "";
  note("dataset", refusals.get("dataset")?.sentence ?? waiting, refusals.has("dataset") ? "wrong" : "later");
  note("model", active && settings.model !== run.model ? t("panel.next_train") : "", "later");
}

/** A closed fold says what in it is not as usual. */
function markFolds(settings) {
  const changed = new Map();
  for (const field of schema(settings.model)) {
    const fold = foldOf(field);
    if (!fold) continue;
    if (!changed.has(fold)) changed.set(fold, []);
    const value = settings.config[field.name];
    if (value !== undefined && value !== field.default) changed.get(fold).push(field.label.toLowerCase());
  }
  for (const [fold, labels] of changed) {
    const label = fold.querySelector("button.label-wrap > span");
    if (label) label.dataset.changed = labels.length > 2 ? t("panel.fold_changed", { n: labels.length }) : labels.join(", ");
  }
}
