// One step by hand: of the discriminator, of the generator, of both. Each is an ordinary step with
// the hyperparameter "trained" set for it, so that a replay of the run is exact.

import { PlayError, command, emit, on, settings, start, state, t } from "./store.js";

const WAIT_MS = 20_000;
const OVER = new Set(["finished", "stopped", "diverged", "failed", "interrupted"]);

/** Whether a step can be taken by hand: there is a run of one's own, or something to start from. */
export function canStep() {
  const { run, source } = state;
  if (source?.checkpoint || !run) return true;
  return Boolean(run.owner_is_you);
}

/** Take `count` steps of "both", "discriminator" or "generator" and pause again. */
export async function stepBy(which, count = 1) {
  await paused();
  const before = state.run.config.trained ?? "both";
  const from = state.run.step;
  await letLearn(which);
  try {
    await command("step", { count });
    await reached((run) => run.step >= from + count || OVER.has(run.state));
  } finally {
    if (state.run && !OVER.has(state.run.state)) await letLearn(before);
  }
  emit("tried", { what: "step_of", which, count });
}

async function letLearn(which) {
  if ((state.run.config.trained ?? "both") === which) return;
  await command("set", { field: "trained", value: which });
  await reached((run) => run.config.trained === which || OVER.has(run.state));
}

/** A paused run of what is on screen: the attached one, or a new one from the saved model. */
export async function paused() {
  const { run, source } = state;
  const ended = !run || OVER.has(run.state);
  if (source?.checkpoint && (ended || run.state === "paused")) await fromCheckpoint(source.checkpoint);
  else if (ended) await begin();
  else if (!run.owner_is_you) throw new PlayError(t("lab.step_not_yours"));
  if (state.run.state !== "paused") {
    await reached((now) => now.state === "running" || now.state === "paused" || OVER.has(now.state));
    if (state.run.state === "running") await command("pause");
    await reached((now) => now.state === "paused" || OVER.has(now.state));
  }
  if (OVER.has(state.run.state)) throw new PlayError(t("lab.step_over"));
}

async function fromCheckpoint(name) {
  const known = state.catalogue.checkpoints.find((c) => c.name === name);
  const more = settings().max_steps ?? 5000;
  await start({
    model: known.model, dataset: known.dataset, config: known.config, resume: { checkpoint: name },
    max_steps: (known.step ?? 0) + more, title: t("lab.step_title_run", { name: known.title ?? name }),
  });
}

/** An ended run goes on; without any run a new one begins. */
async function begin() {
  const { run } = state;
  if (run?.owner_is_you && run.state !== "diverged") {
    await command("continue", { max_steps: run.step + (settings().max_steps ?? 5000) });
  } else await start({});
}

/** Wait until the attached run has come so far. */
function reached(test) {
  if (state.run && test(state.run)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(new PlayError(t("lab.step_slow"))), WAIT_MS);
    const offs = ["run", "metrics", "progress", "changed"].map((type) => on(type, look));
    function look() {
      if (!state.run) finish(new PlayError(t("lab.step_over")));
      else if (test(state.run)) finish(null);
    }
    function finish(error) {
      clearTimeout(timer);
      for (const off of offs) off();
      if (error) reject(error);
      else resolve();
    }
  });
}
