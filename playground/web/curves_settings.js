/** Hyperparameters in words, and the buttons that change them. */

import { applySettings, attach, command, notify, start, state, t } from "./store.js";
import { setting } from "./curves_format.js";
import { active } from "./curves_history.js";

/** The description of a hyperparameter of a model, or null. */
export function fieldOf(model, name) {
  const entry = state.catalogue?.models?.find((m) => m.key === model);
  return entry?.schema.find((f) => f.name === name) ?? null;
}

/** The name of a hyperparameter as the controls show it. */
export function fieldLabel(model, name) {
  const label = fieldOf(model, name)?.label ?? name.replaceAll("_", " ");
  return label.replace(/\s*\(.*\)$/, "");
}

/** "Beta 20 instead of 1" */
export function insteadLabel(model, name, from, to) {
  return t("monitor.instead", {
    name: fieldLabel(model, name), from: valueLabel(model, name, from), to: valueLabel(model, name, to),
  });
}

/** A value as the controls show it: the choice's words, or the number. */
export function valueLabel(model, name, value) {
  const choice = fieldOf(model, name)?.choices?.find(([key]) => key === value);
  return choice ? choice[1].replace(/,? \(.*\)$/, "") : setting(value);
}

/** "Beta 1 → 20" */
export function changeLabel(model, name, from, to) {
  return t("monitor.change", {
    name: fieldLabel(model, name), from: valueLabel(model, name, from), to: valueLabel(model, name, to),
  });
}

/** "beta 1, learning rate 0.001", each by the string `key`. */
function listLabel(model, values, key) {
  return Object.entries(values)
    .map(([name, value]) => t(key, {
      name: fieldLabel(model, name).toLowerCase(), value: valueLabel(model, name, value).toLowerCase(),
    }))
    .join(", ");
}

/** Do something that may be refused; the refusal is shown, not thrown. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (!error.sentence) throw error;
    notify(error.sentence, { error: true });
    return null;
  }
}

/**
 * The button that applies a remedy: live where the run goes on and all fields may change live,
 * else a new run with the same settings but for these.
 * @returns {{label: string, act: () => Promise<void>}}
 */
export function remedyAction(run, remedy) {
  const live = active(run) && Object.keys(remedy).every((name) => fieldOf(run.model, name)?.live);
  const what = listLabel(run.model, remedy, live ? "monitor.name_to_value" : "monitor.name_value");
  return live
    ? { label: t("monitor.remedy_live", { what }), act: () => setLive(remedy) }
    : { label: t("monitor.remedy_again", { what }), act: () => again(run, remedy) };
}

async function setLive(remedy) {
  for (const [field, value] of Object.entries(remedy)) await command("set", { field, value });
  applySettings({ config: remedy });
}

async function again(run, remedy) {
  const config = { ...run.config, ...remedy };
  applySettings({ model: run.model, dataset: run.dataset, config, preset: null });
  await startInstead({ ...origin(run), config });
}

/** Start a run in the place of the attached one, which is stopped and saved first. */
export async function startInstead(body) {
  if (active(state.run) && state.run.owner_is_you) await command("stop");
  return start(body);
}

/** Model, data and length of a run, to start another like it. */
export function origin(run) {
  return {
    model: run.model, dataset: run.dataset, seed: run.seed, max_steps: run.max_steps, preset: null,
  };
}

/**
 * The button that goes back to before a run diverged.
 * @returns {{label: string, act: () => Promise<void>}}
 */
export function rewindAction(run) {
  const { step, learning_rate: rate } = run.rewind;
  const lower = run.rewind.config ?? (rate == null ? {} : { learning_rate: rate });
  const what = listLabel(run.model, lower, "monitor.name_value");
  return {
    label: t(what ? "monitor.rewind" : "monitor.rewind_only", { step: step.toLocaleString("en-US"), what }),
    act: async () => {
      applySettings({ model: run.model, dataset: run.dataset, config: { ...run.config, ...lower }, preset: null });
      await command("rewind", { config: lower });
      await attach(run.id);
    },
  };
}
