// The page's one state: what is explored, which run is attached, and the stream of its events.
// Other modules read `state`, listen with `on`, and act with start, command, attach, explore.
// This file gathers what the store_*.js files do; import from here.
import { announce, api, emit, explore, notify, off, on, setWords, state, t } from "./store_core.js";
import { followLink, shareLink } from "./store_links.js";
import {
  attach, command, defaultCheckpoint, detach, start, useCheckpoint, useRun,
} from "./store_runs.js";
import { applySettings, presetConfig, settings, takeControls } from "./store_settings.js";

export {
  PlayError, announce, api, base, emit, explore, notify, off, on, owner, state, t,
} from "./store_core.js";
export { readLink, shareLink } from "./store_links.js";
export {
  attach, command, detach, showDefault, start, useCheckpoint, useRun,
} from "./store_runs.js";
export {
  applySettings, bindControls, presetConfig, presetOf, schema, settings, takeControls,
} from "./store_settings.js";

const RETRY_MS = 2000;

/** Read the catalogue again, after an upload or a new checkpoint. */
export async function refreshCatalogue() {
  state.catalogue = await api("catalogue");
  emit("catalogue", state.catalogue);
  return state.catalogue;
}

async function boot() {
  const [strings] = await Promise.all([
    fetch(new URL("strings.json", import.meta.url)).then((r) => r.json()),
    refreshCatalogue(),
  ]);
  setWords(strings);
  const preset = state.catalogue.models[0]?.presets[0];
  if (preset) {
    takeControls({
      model: preset.model, dataset: preset.dataset, config: presetConfig(preset), seed: 0,
      max_steps: preset.max_steps, preset: preset.key,
    });
  }
  const checkpoint = defaultCheckpoint();
  if (checkpoint) state.source = { checkpoint };
}

/** A server that has just been started again answers a moment later. */
async function bootInTheEnd() {
  for (;;) {
    try {
      await boot();
      return;
    } catch (error) {
      console.warn("The page could not read its catalogue; it tries again", error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Resolves when strings and catalogue are there; modules are mounted after it. */
export const ready = bootInTheEnd();

/** For panel.js, once the controls can be written: apply the link, find the last run again. */
export async function begin() {
  await ready;
  await followLink();
}

window.Play = Object.assign(window.Play ?? {}, {
  store: {
    state, on, off, emit, api, explore, start, command, attach, detach, useCheckpoint, useRun,
    settings, applySettings, shareLink, announce, notify, t, ready,
  },
});
