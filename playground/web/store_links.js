// Links: what is on screen as an address, and an address as what is on screen.
import { emit, notify, own, state, t } from "./store_core.js";
import { about, lesson } from "./page.js";
import { unknownNames } from "./page_hidden.js";
import { attach, findLastRun, findLessonRun, showsChosen, useCheckpoint } from "./store_runs.js";
import { applySettings, presetConfig, presetOf, schema, settings } from "./store_settings.js";

export { applyHidden } from "./page_hidden.js";

const round = (x) => Number(Number(x).toPrecision(5));

/** The address of what is on screen: tab, settings that differ from the defaults, source, point. */
export function shareLink() {
  const query = new URLSearchParams({ tab: state.tab });
  const now = settings();
  if (now.preset) query.set("preset", now.preset);
  if (now.model) query.set("model", now.model);
  if (now.dataset) query.set("dataset", now.dataset);
  const preset = presetOf(now.preset);
  for (const field of schema(now.model)) {
    const plain = preset?.config?.[field.name] ?? field.default;
    const value = now.config[field.name];
    if (value !== undefined && value !== null && value !== plain) query.set(field.name, value);
  }
  if (Number.isFinite(now.seed)) query.set("seed", now.seed);
  if (now.max_steps && now.max_steps !== preset?.max_steps) query.set("max_steps", now.max_steps);
  // A run that has just begun is meant, though its first picture is not there yet.
  if (state.run && (state.source?.run || !showsChosen())) query.set("run", state.source?.run ?? state.run.id);
  else if (state.source?.checkpoint) query.set("checkpoint", state.source.checkpoint);
  for (const [name, value] of Object.entries(own.link?.() ?? {})) query.set(name, value);
  if (state.point?.z?.length) query.set("z", state.point.z.map(round).join(","));
  return `${location.origin}${location.pathname}?${query}`;
}

/**
 * The address of a lesson: this tab with its present settings, and beside that a title, names of
 * controls to hide (or the only ones to show), sentences to try. The run on screen goes with it
 * only when asked for: a class begins from the shipped model.
 */
export function lessonLink({ title = "", hide = [], only = null, tries = [], lock = false, run = false } = {}) {
  const link = new URL(shareLink());
  const query = link.searchParams;
  if (!run) {
    if (query.has("run")) query.delete("z");
    query.delete("run");
  }
  query.set("lesson", title);
  if (hide.length) query.set("hide", hide.join(","));
  if (only) query.set("only", only.join(","));
  for (const sentence of tries) query.append("try", sentence);
  if (lock) query.set("lock", "1");
  link.search = query.toString().replaceAll("%2C", ",");
  return link.href;
}

function readValue(field, text) {
  if (field.kind === "bool") return { true: true, false: false, 1: true, 0: false }[text];
  if (field.kind === "choice") return field.choices.some(([v]) => v === text) ? text : undefined;
  const number = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(number)) return undefined;
  if (field.kind === "int" && !Number.isInteger(number)) return undefined;
  if (number < field.minimum || number > field.maximum) return undefined;
  return number;
}

/** Read a share link: {settings, checkpoint, run, z, ignored: [names whose value is no good]}. */
export function readLink(search = location.search) {
  const query = new URLSearchParams(search);
  const ignored = query.has("tab") && !Object.hasOwn(about, query.get("tab")) ? ["tab"] : [];
  const partial = { config: {} };
  const from = (name, check) => {
    if (!query.has(name)) return undefined;
    const value = check(query.get(name));
    if (value === undefined) ignored.push(name);
    return value;
  };
  const catalogue = state.catalogue;
  const preset = from("preset", (k) => presetOf(k) ?? undefined);
  if (preset) {
    Object.assign(partial, {
      preset: preset.key, model: preset.model, dataset: preset.dataset, max_steps: preset.max_steps,
      config: presetConfig(preset),
    });
  }
  const model = from("model", (k) => (catalogue.models.some((m) => m.key === k) ? k : undefined));
  if (model) partial.model = model;
  const dataset = from("dataset", (k) =>
    (catalogue.datasets.some((d) => d.key === k && d.available !== false) ? k : undefined));
  if (dataset) partial.dataset = dataset;
  for (const field of schema(partial.model ?? settings().model)) {
    const value = from(field.name, (text) => readValue(field, text));
    if (value !== undefined) partial.config[field.name] = value;
  }
  const whole = (low, high) => (text) => {
    const n = Number(text);
    return text.trim() !== "" && Number.isInteger(n) && n >= low && n <= high ? n : undefined;
  };
  const seed = from("seed", whole(0, 2 ** 31 - 1));
  if (seed !== undefined) partial.seed = seed;
  const steps = from("max_steps", whole(1, catalogue.limits?.max_steps ?? 10_000_000));
  if (steps !== undefined) partial.max_steps = steps;
  const z = from("z", (text) => {
    const list = text.split(",").map((x) => (x.trim() === "" ? NaN : Number(x)));
    return list.length <= 512 && list.every((x) => Number.isFinite(x) && Math.abs(x) < 1e4) ? list : undefined;
  });
  const checkpoint = from("checkpoint", (k) =>
    (catalogue.checkpoints.some((c) => c.name === k) || k.startsWith("upload/") ? k : undefined));
  return { settings: partial, checkpoint, run: query.get("run"), z, ignored };
}

/** An address that opens another tab says nothing to this one. */
function mine(search) {
  const tab = new URLSearchParams(search).get("tab");
  return tab !== state.tab && Object.hasOwn(about, tab) ? "" : search;
}

/** Apply the page's own address, and find the run again. */
export async function followLink() {
  const link = readLink(mine(location.search));
  const asked = Object.keys(link.settings).length > 1 || Object.keys(link.settings.config).length > 0;
  if (asked) applySettings(link.settings);
  const ignored = [...link.ignored];
  if (link.run) await attach(link.run).catch(() => ignored.push("run"));
  else if (lesson?.tab === state.tab) await findLessonRun();
  else await findLastRun(link);
  if (link.checkpoint) useCheckpoint(link.checkpoint);
  if (link.z) emit("point", { z: link.z, u: link.z.length === 2 ? link.z : null, from: "link" });
  if (lesson?.tab === state.tab) ignored.push(...await lessonLeftOut());
  if (ignored.length) notify(t("shell.link_ignored", { names: ignored.join(", ") }));
}

let told = false;

/** What of the lesson's own parts could not be used: said once. */
async function lessonLeftOut() {
  if (told) return [];
  told = true;
  const known = new Set(own.LESSONS.map((l) => `lesson:${l.key}`));
  const lost = lesson.tries.filter((text) => text.startsWith("lesson:") && !known.has(text));
  return [...new Set([...lesson.dropped, ...lost, ...await unknownNames])];
}
