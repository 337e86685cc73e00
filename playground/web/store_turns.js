// What a run's state looks like to a person. While others wait, runs take turns of a second or two:
// "running" and "queued" then alternate all the time, and are shown as one steady "turns".
import { state } from "./store_core.js";

const BETWEEN = new Set(["queued", "starting", "parked"]);
const ENDED = new Set(["finished", "stopped", "failed", "interrupted", "diverged"]);
const ALONE_MS = 20_000; // a run that trained so long without a break has its place for itself

let seen = { id: null };

/** Note what has become of the attached run; call it for every change of its state. */
export function note(run, now = performance.now()) {
  if (run?.id !== seen.id) seen = { id: run?.id ?? null, state: null, ran: false, since: 0, gaveWay: false };
  if (!run || run.state === seen.state) return;
  if (run.state === "running") {
    seen.gaveWay = seen.ran && BETWEEN.has(seen.state);
    seen.ran = true;
    seen.since = now;
  } else if (!BETWEEN.has(run.state)) seen.ran = seen.gaveWay = false;
  seen.state = run.state;
}

/** The state to show: the run's own, or "turns", "resting", "frozen". */
export function shownState(run = state.run, now = performance.now()) {
  if (!run) return "none";
  if (ENDED.has(run.state)) return run.state;
  if (run.frozen) return "frozen";
  if (run.resting) return "resting";
  const here = run.id === seen.id;
  if (BETWEEN.has(run.state)) {
    const served = (here && seen.ran) || (run.served_s > 0 && run.turns_with > 0);
    return served ? "turns" : run.state;
  }
  if (run.state !== "running" || !here || now - seen.since > ALONE_MS) return run.state;
  return run.turns_with > 0 || seen.gaveWay ? "turns" : run.state;
}

/** Whether the run trains, or would if it were not another one's turn. */
export const training = (run = state.run) => ["running", "turns"].includes(shownState(run));
