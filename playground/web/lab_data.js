// A person's own points become a data set on the server, and the data set that Train takes.

import { announce, api, applySettings, idOf, notify, presetOf, refreshCatalogue, settings, t } from "./store.js";

/**
 * Send points, or a file of them, and choose what the server makes of them.
 * @param {import("./lab_points.js").Points} points
 * @param {File|null} file
 */
export async function useData(points, file) {
  const added = await (file ? sendFile(file) : api("points", { body: { points: points.pairs(), name: t("lab.pad_name") } }));
  await refreshCatalogue();
  const preset = presetOf(settings().preset);
  applySettings({ dataset: added.dataset, preset: preset?.dataset === added.dataset ? preset.key : null });
  const notes = added.notes?.length ? ` ${added.notes.join(" ")}` : "";
  notify(t("lab.pad_done") + notes, { actions: [[t("lab.pad_train"), () => document.getElementById(idOf("train"))?.click()]] });
  announce(t("lab.pad_done"));
}

function sendFile(file) {
  const form = new FormData();
  form.append("file", file, file.name);
  form.append("name", file.name.replace(/\.\w+$/, ""));
  return api("points", { form });
}
