// What the panel's controls say: one set of values, written by people, presets and links.
import { emit, state } from "./store_core.js";

let values = { model: null, dataset: null, config: {}, seed: 0, max_steps: null, preset: null };
let pushControls = null; // set by panel.js: writes values into the Gradio controls

const copy = (object) => JSON.parse(JSON.stringify(object));

export function schema(model = values.model) {
  return state.catalogue.models.find((m) => m.key === model)?.schema ?? [];
}

/** {model, dataset, config, seed, max_steps, preset}: what Train would start now. */
export function settings() {
  const known = new Set(schema().map((f) => f.name));
  const config = Object.fromEntries(Object.entries(values.config).filter(([k]) => known.has(k)));
  return copy({ ...values, config });
}

/** Set some of the controls; what is not named stays as it is. */
export function applySettings(partial) {
  values = { ...values, ...partial, config: { ...values.config, ...(partial.config ?? {}) } };
  settingsChanged("code");
  pushControls?.(values);
}

/** For panel.js: the person changed a control. */
export function takeControls(next) {
  values = { ...values, ...next, config: { ...values.config, ...(next.config ?? {}) } };
  settingsChanged("person");
}

/** For panel.js: how values reach the Gradio controls. */
export function bindControls(push) {
  pushControls = push;
}

function settingsChanged(from) {
  state.model = values.model;
  state.dataset = values.dataset;
  emit("settings", { ...settings(), from });
}

/** The preset of a key, or null. */
export function presetOf(key) {
  if (!key) return null;
  return state.catalogue.models.flatMap((m) => m.presets).find((p) => p.key === key) ?? null;
}

/** All values of a preset: the model's defaults, and on top what the preset says. */
export function presetConfig(preset) {
  const plain = Object.fromEntries(schema(preset.model).map((f) => [f.name, f.default]));
  return { ...plain, ...preset.config };
}
