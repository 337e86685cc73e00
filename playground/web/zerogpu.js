// On a ZeroGPU Space: asks for the GPU turns of this browser's runs, from the page itself, so that
// they count on the visitor's own quota. Mounted only there.
import { base, owner } from "./page_server.js";

const LOOK_MS = 1500;
const AGAIN_MS = 12000; // the server has not answered a request for a turn: it may be lost

/** Ask for turns, by `trigger(payload)`, while the page lives. */
export function mount(element, trigger) {
  const asked = new Map(); // run id -> when

  async function look() {
    if (!element.isConnected) return;
    try {
      for (const run of await runs()) {
        if (run.state !== "starting") asked.delete(run.id);
        else if (performance.now() - (asked.get(run.id) ?? -AGAIN_MS) >= AGAIN_MS) {
          asked.set(run.id, performance.now());
          trigger({ run: run.id, owner });
        }
      }
    } catch (error) {
      console.warn("The runs that wait for a GPU could not be read; it is tried again", error);
    }
    setTimeout(look, LOOK_MS);
  }

  look();
}

async function runs() {
  const answer = await fetch(`${base}runs`, { headers: { "X-Play-Owner": owner } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const found = await answer.json();
  return Array.isArray(found) ? found : (found.runs ?? []);
}
