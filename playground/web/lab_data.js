// A person's own points become a data set on the server, and the data set that Train takes.

import { active } from "./curves_history.js";
import {
  announce, api, applySettings, command, notify, on, own, refreshCatalogue, settings, start, state, t,
} from "./store.js";

const SLOW_MS = 5000; // controls of a busy page may report what they showed before for so long

/**
 * Send points, or a file of them, and choose what the server makes of them.
 * @param {import("./lab_points.js").Points} points
 * @param {File|null} file
 */
export async function useData(points, file) {
  const added = await (file ? sendFile(file) : api("points", { body: { points: points.pairs(), name: t("lab.pad_name") } }));
  const before = settings().dataset;
  await refreshCatalogue();
  choose(added.dataset, before);
  const notes = added.notes?.length ? ` ${added.notes.join(" ")}` : "";
  notify(t("lab.pad_done") + notes, { actions: [[t("lab.pad_train"), () => train(added)]] });
  announce(t("lab.pad_done"));
}

function sendFile(file) {
  const form = new FormData();
  form.append("file", file, file.name);
  form.append("name", file.name.replace(/\.\w+$/, ""));
  return api("points", { form });
}

/** Choose a data set; the one before it does not come back when controls report it late. */
function choose(dataset, before) {
  applySettings({ dataset, preset: null });
  const off = on("settings", (now) => {
    if (now.from === "person" && now.dataset === before) queueMicrotask(() => applySettings({ dataset, preset: null }));
  });
  setTimeout(off, SLOW_MS);
}

/** Train on the points; a run that trains here is stopped first: it is saved, and can be continued. */
async function train({ dataset, title }) {
  try {
    if (active(state.run) && state.run.owner_is_you) await command("stop");
    applySettings({ dataset, preset: null });
    await start({ dataset, preset: null, title: own.runTitle(settings(), { title }) });
  } catch (error) {
    notify(error.sentence ?? String(error), { error: true });
  }
}
