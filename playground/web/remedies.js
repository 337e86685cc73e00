// A remedy is a fork: from the last checkpoint before the alert, with a few settings changed.
// The run that needed it stays pinned, so that both can be looked at side by side.

import { announce, applySettings, emit, state, t } from "./store.js";
import { pinRun } from "./compare_pins.js";
import { origin, startInstead } from "./curves_settings.js";

const LEAST_STEPS = 1500; // a remedy needs some time before its effect can be seen

/**
 * Start a fork of a run with a remedy on, from the newest checkpoint at or before the last step
 * at which all was well; where there was no such step, a new run with the same data and seed.
 * @param {object} run RunView of the run that the alert is about
 * @param {{since: number|null, step: number}} alert
 * @param {{key: string, title: string, config: Object<string, *>}} remedy
 * @returns {Promise<object>} RunView of the fork
 */
export async function forkWith(run, alert, remedy) {
  const step = checkpointBefore(run, alert.since);
  const config = { ...run.config, ...remedy.config };
  if (state.run?.id === run.id) pinRun(run.title || t("dcgan.before"));
  applySettings({ model: run.model, dataset: run.dataset, config, preset: null });
  const most = Math.max(run.max_steps ?? 0, (step ?? 0) + LEAST_STEPS);
  const fork = await startInstead({
    ...origin(run), config, max_steps: run.max_steps == null ? null : most, title: remedy.title,
    ...(step === null ? {} : { resume: { run: run.id, step } }),
  });
  rememberPair(fork.id, { run: run.id });
  emit("tried", { what: "remedy", remedy: remedy.key, alert: alert.alert });
  announce(t(step === null ? "dcgan.said_again" : "dcgan.said_fork", { step: (step ?? 0).toLocaleString("en"), remedy: remedy.title }));
  return fork;
}

/** Train a saved model on with other settings: a fork of the checkpoint itself. */
export async function forkCheckpoint(checkpoint, config, { max_steps: most, title }) {
  const fork = await startInstead({
    model: checkpoint.model, dataset: checkpoint.dataset, preset: null, config, max_steps: most, title,
    resume: { checkpoint: checkpoint.name },
  });
  rememberPair(fork.id, { checkpoint: checkpoint.name });
  emit("tried", { what: "repair", checkpoint: checkpoint.name });
  return fork;
}

/** The newest checkpoint of a run at or before a step; null when there is none. */
export function checkpointBefore(run, step) {
  if (step === null || step === undefined) return null;
  const steps = (run.checkpoints ?? []).map((c) => c.step).filter((s) => s <= step);
  return steps.length ? Math.max(...steps) : null;
}

const KEY = "play-pairs";
const MOST = 20;

/** A new run instead of a fork has no parent of its own: the page remembers what it stands beside. */
function rememberPair(id, before) {
  const pairs = { ...pairsKept(), [id]: before };
  const names = Object.keys(pairs).slice(-MOST);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(Object.fromEntries(names.map((name) => [name, pairs[name]]))));
  } catch {
    // a full or closed storage only means that a reload forgets it
  }
  emit("pair", before);
}

function pairsKept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

/** What a run is to be looked at beside: {run: id} | {checkpoint: name}, or null. */
export function pairOf(run) {
  if (!run) return null;
  const { parent } = run;
  if (parent?.run) return { run: parent.run };
  if (parent?.checkpoint) return { checkpoint: parent.checkpoint };
  return pairsKept()[run.id] ?? null;
}
