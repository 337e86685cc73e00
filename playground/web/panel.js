// The training panel's module: settings between the Gradio controls and the store, and what the
// panel's parts show. Every tab mounts the same parts: transport, files, pictures, domains, texts.
import * as store from "./store.js";
import { datasetOf, fits, modelOf } from "./store_catalogue.js";
import { lesson } from "./page.js";
import { mountFiles } from "./panel_files.js";
import { mountKeys } from "./panel_keys.js";
import { mountPictures } from "./panel_pictures.js";
import { mountTransport } from "./panel_transport.js";
import * as fields from "./panel_fields.js";

const SETTLE_MS = 3000; // controls that we set report their change within this time, on a busy machine too
const SET_DELAY_MS = 200; // a dragged slider is sent when it rests

let names = []; // the controls' names, in the order in which their values travel
let controls = {}; // name -> value, as the controls show it
let pushing = null; // {before, list, until, timer}: values on their way into the controls
const timers = new Map();

const isConfig = (name) => name.startsWith("config.");

function datasetChoices() {
  const model = modelOf(controls.model);
  const there = store.state.catalogue.datasets.filter((d) => d.available !== false);
  return there.filter((d) => !model || fits(model, d)).map((d) => [d.title, d.key]);
}

/** Examples of the data that one step sees; a GAN's discriminator may see several batches. */
function examplesPerStep(now) {
  const of = (name) => now[`config.${name}`] || 1;
  return (now["config.batch_size"] || 128) * of("packing") * of("discriminator_steps");
}

/** Steps of an amount in its unit; epochs depend on the data set and the batch size. */
function stepsOf(now) {
  if (typeof now.amount !== "number" || !Number.isFinite(now.amount)) return null;
  if (now.unit !== "epochs") return now.amount;
  const data = datasetOf(now.dataset);
  return Math.max(1, Math.round((now.amount * (data?.train ?? 60000)) / examplesPerStep(now)));
}

function toSettings(now) {
  const config = {};
  for (const name of names) if (isConfig(name)) config[name.slice(7)] = now[name];
  return {
    preset: now.preset || null, dataset: now.dataset, model: now.model, config,
    max_steps: stepsOf(now), seed: now.seed,
  };
}

/** What the controls should show for these settings; amount and unit stay if they still fit. */
function toControls(settings) {
  const next = { ...controls, preset: settings.preset ?? "", dataset: settings.dataset, model: settings.model, seed: settings.seed };
  for (const [name, value] of Object.entries(settings.config)) next[`config.${name}`] = value;
  if (settings.max_steps !== stepsOf(next)) Object.assign(next, { amount: settings.max_steps, unit: "steps" });
  return next;
}

function push(next) {
  const before = names.map((n, i) => [...(pushing?.before[i] ?? []), controls[n]]);
  controls = next;
  clearTimeout(pushing?.timer);
  pushing = { before, list: JSON.stringify(names.map((n) => next[n])), until: performance.now() + SETTLE_MS };
  window.Play.bridges?.[store.state.tab]?.();
  fields.mark(store.settings());
}

function pending() {
  return names.map((name) => (name === "dataset"
    ? { __type__: "update", choices: datasetChoices(), value: controls.dataset }
    : controls[name]));
}

/**
 * Gradio tells the values of all controls whenever one of them changes. While values that we set
 * are on their way, what it tells may still be the ones before: those are passed over, and only
 * what is neither is a person's. In the end the last word counts.
 */
function changed(list) {
  if (!names.length) return;
  if (pushing) {
    clearTimeout(pushing.timer);
    const rest = pushing.until - performance.now();
    if (JSON.stringify(list) === pushing.list || rest <= 0) pushing = null;
    else {
      const told = list;
      pushing.timer = setTimeout(() => { pushing = null; changed(told); }, rest);
      list = list.map((value, i) => (pushing.before[i].includes(value) ? controls[names[i]] : value));
      if (JSON.stringify(list) === pushing.list) return;
    }
  }
  const now = Object.fromEntries(names.map((name, i) => [name, list[i]]));
  const differing = names.filter((name) => now[name] !== controls[name]);
  if (!differing.length) return;
  const before = controls.dataset;
  if (differing.includes("model")) fitDataset(now);
  controls = now;
  if (differing.includes("preset") && now.preset) return choosePreset(now.preset);
  store.takeControls(toSettings(now));
  if (now.dataset !== before) return chooseDataset(now.dataset, before);
  const preset = store.presetOf(now.preset);
  const left = differing.some((n) => isConfig(n)) || (preset && preset.model !== now.model);
  if (preset && left) {
    store.applySettings({ preset: null });
  }
  fields.mark(store.settings());
  for (const name of differing) if (isConfig(name)) changeLive(name.slice(7));
}

/** A model that does not train on the chosen data takes the first that it does train on. */
function fitDataset(now) {
  const model = modelOf(now.model);
  const data = datasetOf(now.dataset);
  if (!model || (data && fits(model, data))) return;
  now.dataset = store.state.catalogue.datasets.find((d) => d.available !== false && fits(model, d))?.key ?? now.dataset;
}

function choosePreset(key) {
  const preset = store.presetOf(key);
  const config = store.presetConfig(preset);
  store.applySettings({
    preset: preset.key, model: preset.model, dataset: preset.dataset, max_steps: preset.max_steps, config,
  });
  store.announce(preset.help);
}

/** Another data set: what it advises, in place of what the one before it advised. */
function chooseDataset(key, before) {
  const now = store.settings().config;
  const config = {};
  for (const field of store.schema()) {
    const old = datasetOf(before)?.recommended?.[field.name];
    if (old !== undefined && now[field.name] === old) config[field.name] = field.default;
    const advised = datasetOf(key)?.recommended?.[field.name];
    if (advised !== undefined) config[field.name] = advised;
  }
  const preset = store.presetOf(store.settings().preset);
  store.applySettings({ dataset: key, config, preset: preset?.dataset === key ? preset.key : null });
}

/** A data set that was brought; a model that does not train on it gives way to one that does. */
function chooseBrought(key) {
  const data = datasetOf(key);
  const model = modelOf(store.state.model);
  const other = store.state.catalogue.models.find((m) => fits(m, data));
  if (other && !(model && fits(model, data))) store.applySettings({ model: other.key });
  chooseDataset(key, store.state.dataset);
}

/** Send a live hyperparameter to the running run, once the control rests. */
function changeLive(name) {
  const run = store.state.run;
  const field = store.schema(run?.model).find((f) => f.name === name);
  if (!field?.live || !fields.isActive(run) || !run.owner_is_you) return;
  clearTimeout(timers.get(name));
  timers.set(name, setTimeout(async () => {
    const value = store.settings().config[name];
    if (value === store.state.run?.config[name] || fields.problem(field, value)) return;
    try {
      await store.command("set", { field: name, value });
    } catch (error) {
      fields.refuse(error.field ?? name, error.sentence ?? String(error));
    }
  }, SET_DELAY_MS));
}

/** A run that the page attaches to brings its settings into the controls. */
function showRunSettings(run) {
  if (!run) return;
  store.applySettings({
    model: run.model, dataset: run.dataset, config: run.config, seed: run.seed,
    ...(run.max_steps ? { max_steps: run.max_steps } : {}),
    preset: sameAsPreset(run),
  });
}

function sameAsPreset(run) {
  const same = (p) => p.dataset === run.dataset
    && Object.entries(store.presetConfig(p)).every(([k, v]) => run.config[k] === v);
  return modelOf(run.model)?.presets.find(same)?.key ?? null;
}

let begun = false;
function begin() {
  if (begun) return;
  begun = true;
  controls = Object.fromEntries(names.map((n) => [n, null]));
  controls = toControls(store.settings());
  fields.mark(store.settings());
  store.bindControls((settings) => push(toControls(settings)));
  store.on("reset", (run) => {
    if (run && !store.state.fresh) showRunSettings(run);
  });
  store.on("run", () => fields.mark(store.settings()));
  store.on("catalogue", () => push(controls));
  store.on("changed", (event) => {
    if (store.settings().config[event.field] !== event.new) store.applySettings({ config: { [event.field]: event.new } });
  });
  store.on("refused", (event) => fields.refuse(event.field, event.sentence));
  store.begin().then(openFolds);
}

/** The few controls that a lesson is about are seen at once, those in folds too. */
async function openFolds() {
  if (lesson?.tab !== store.state.tab) return;
  for (const name of lesson.only ?? []) await fields.reveal(name);
}

window.Play.tabs[store.state.tab].panel = { changed, pending };

export async function mount(element, props) {
  if (props.part === "transport") {
    names = props.controls;
    fields.place();
    mountTransport(element);
    mountKeys();
    begin();
  } else if (props.part === "files") {
    mountFiles(element);
  } else if (props.part === "pictures") {
    mountPictures(element, props.sizes, chooseBrought);
  } else if (props.part === "domains") {
    const domains = await import("./panel_domains.js"); // camera and sketch pad: only where wanted
    domains.mountDomains(element, chooseBrought);
  } else if (props.part === "texts") {
    (await import("./panel_text.js")).mountText(element, chooseBrought);
  }
}
