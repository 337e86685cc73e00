// The page's one state: what is explored, which run is attached, and the stream of its events.
// Other modules read `state`, listen with `on`, and act with start, command, attach, explore.
// This file gathers what the store_*.js files do; import from here.
import { about, enter } from "./page.js";
import { readCatalogue, ready as pageReady } from "./page_server.js";
import { ensureStyles } from "./page_styles.js";
import {
  announce, api, emit, explore, idOf, notify, off, on, own, setOwn, state, t,
} from "./store_core.js";
import { seen } from "./store_catalogue.js";
import { followLink, lessonLink, shareLink } from "./store_links.js";
import {
  attach, command, defaultCheckpoint, detach, look, start, useCheckpoint, useRun,
} from "./store_runs.js";
import { applySettings, presetConfig, schema, settings, takeControls } from "./store_settings.js";

export { refreshCatalogue } from "./page_server.js";
export {
  PlayError, announce, api, base, emit, explore, idOf, notify, off, on, own, owner, shared, state, t,
} from "./store_core.js";
export { applyHidden, lessonLink, readLink, shareLink } from "./store_links.js";
export {
  attach, command, detach, look, showDefault, start, useCheckpoint, useRun,
} from "./store_runs.js";
export { shownState, training } from "./store_turns.js";
export {
  applySettings, bindControls, presetConfig, presetOf, schema, settings, takeControls,
} from "./store_settings.js";

function takeCatalogue(whole) {
  state.catalogue = seen(whole);
  emit("catalogue", state.catalogue);
}

async function boot() {
  const [module, catalogue] = await Promise.all([
    import(`./tab_${state.tab}.js`), readCatalogue(takeCatalogue), pageReady,
    ...about[state.tab].styles.map(ensureStyles),
  ]);
  setOwn(module);
  state.catalogue = seen(catalogue);
  const presets = state.catalogue.models[0]?.presets ?? [];
  const preset = presets.find((p) => !p.breaks) ?? presets[0];
  if (preset) {
    takeControls({
      model: preset.model, dataset: preset.dataset, config: presetConfig(preset), seed: 0,
      max_steps: preset.max_steps, preset: preset.key,
    });
  }
  const checkpoint = defaultCheckpoint();
  if (checkpoint) state.source = { checkpoint };
}

/** Resolves when strings and catalogue are there; modules are mounted after it. */
export const ready = boot();

let begun = false;

/** For panel.js, once the controls can be written: apply the link, find the last run again. */
export async function begin() {
  await ready;
  begun = true;
  await followLink();
}

enter(state.tab, {
  state, on, off, emit, api, explore, start, command, attach, detach, look, useCheckpoint, useRun,
  settings, applySettings, schema, shareLink, lessonLink, announce, notify, t, ready, idOf,
  get own() { return own; },
  follow: () => { if (begun) followLink(); },
});
