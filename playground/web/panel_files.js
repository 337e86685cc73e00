// My runs, saved models, opening a checkpoint file, downloads.
import { button, h, setText, show } from "./dom.js";
import { openTab, tabOf } from "./page.js";
import { mountBrought } from "./panel_brought.js";
import * as store from "./store.js";
import { datasetOf, modelOf } from "./store_catalogue.js";

const { t, state } = store;
const ENDED = new Set(["finished", "stopped", "failed", "interrupted", "diverged"]);

function section(name, title, open, ...children) {
  return h("details", { class: "play-card play-section", open, id: store.idOf(`files-${name}`) }, h("summary", {}, title), ...children);
}

// ---- my runs ------------------------------------------------------------------------------------

function runRow(run, again) {
  const here = state.run?.id === run.id;
  const name = run.title || run.id;
  const open = button(t("panel.open"), () => store.attach(run.id).catch(tell), { kind: "small", title: t("panel.open_run", { title: name }) });
  open.disabled = here && state.source?.run === run.id;
  const remove = button(t("panel.delete"), () => askDelete(run, again), { kind: "small quiet", title: t("panel.delete_run", { title: name }) });
  return h("li", { class: here ? "here" : "", "data-run": run.id },
    h("span", { class: "play-dot", "data-state": run.state, "aria-hidden": "true" }),
    h("span", { class: "play-run-name" }, h("b", {}, name), h("small", {}, howFar(run))),
    open, remove);
}

/** "Running · Step 1,200". */
function howFar(run) {
  const steps = t("panel.progress_open", { step: run.step.toLocaleString("en") });
  const now = run.id === state.run?.id ? store.shownState() : store.shownState(run);
  return `${t(`panel.state.${now}`)} · ${steps}`;
}

function askDelete(run, again) {
  const sure = async () => {
    try {
      await store.api(`runs/${encodeURIComponent(run.id)}`, { method: "DELETE" });
      if (state.run?.id === run.id) {
        if (state.source?.run === run.id) store.showDefault();
        store.detach();
      }
      store.announce(t("panel.deleted"));
      again();
    } catch (error) {
      tell(error);
    }
  };
  store.notify(t("panel.delete_sure", { title: run.title || run.id }), { actions: [[t("panel.yes_delete"), sure]] });
}

function tell(error) {
  store.notify(error.sentence ?? String(error), { error: true });
}

/** Whether the explorer of this tab can show a model; its own parts open the others. */
const listed = (model) => modelOf(model) && !(store.own.UNLISTED ?? []).includes(model);

function mountRuns(list, empty) {
  let asked = 0;
  const follow = () => {
    const { run } = state;
    const row = run && [...list.children].find((item) => item.dataset.run === run.id);
    if (row) setText(row.querySelector("small"), howFar(run));
  };
  const again = async () => {
    const mine = ++asked;
    try {
      const runs = (await store.api("runs")).runs.filter((run) => listed(run.model));
      if (mine !== asked) return;
      list.replaceChildren(...runs.map((run) => runRow(run, again)));
      show(empty, runs.length === 0);
    } catch (error) {
      console.info("My runs could not be read", error);
    }
  };
  store.on("progress", follow);
  store.on("shown", again); // and not at every status: turns would ask all the time
  store.on("reset", again);
  store.on("source", again);
  again();
}

// ---- saved models ---------------------------------------------------------------------------------

/** Explore a checkpoint, with its settings in the panel: what is forked from it then fits. */
function openCheckpoint(checkpoint) {
  store.useCheckpoint(checkpoint.name);
  store.applySettings({
    model: checkpoint.model, dataset: checkpoint.dataset, config: checkpoint.config, preset: null,
  });
}

function checkpointRow(checkpoint) {
  const here = state.source?.checkpoint === checkpoint.name;
  const facts = [datasetOf(checkpoint.dataset)?.title ?? checkpoint.dataset, ...(store.own.facts?.(checkpoint) ?? [])];
  const open = button(t("panel.explore_model"), () => openCheckpoint(checkpoint), { kind: "small" });
  open.setAttribute("aria-pressed", String(here));
  return h("li", { class: here ? "here" : "" },
    h("span", { class: "play-run-name" },
      h("b", {}, checkpoint.title || checkpoint.name), h("small", {}, facts.filter(Boolean).join(" · "))),
    h("a", {
      class: "play-button small quiet", href: `${store.base}checkpoints/${checkpoint.name}`, download: "",
      title: t("panel.download_checkpoint"), "aria-label": `${t("panel.download_checkpoint")} ${checkpoint.title || checkpoint.name}`,
    }, "↓"),
    open);
}

function mountCheckpoints(list) {
  const draw = () => {
    list.replaceChildren(...state.catalogue.checkpoints.filter((c) => listed(c.model)).map(checkpointRow));
  };
  store.on("catalogue", draw);
  store.on("source", draw);
  draw();
}

/** Open an uploaded checkpoint, on the tab to which its model belongs. */
function openUploaded(added) {
  const home = tabOf(added.model);
  if (!home) throw new store.PlayError(t("panel.no_tab_for", { model: added.model }));
  if (home === state.tab) openCheckpoint({ ...added, name: added.checkpoint });
  else openTab(home, { checkpoint: added.checkpoint });
}

function uploader() {
  const limit = state.catalogue.limits?.checkpoint_upload_mb ?? 32;
  const error = h("div", { class: "play-error", role: "alert", hidden: true });
  const input = h("input", { type: "file", accept: ".safetensors", class: "play-hidden", id: store.idOf("checkpoint-file") });
  input.addEventListener("change", async () => {
    const file = input.files[0];
    input.value = "";
    if (!file) return;
    show(error, false);
    try {
      if (file.size > limit * 2 ** 20) throw tooLarge(file, limit);
      const form = new FormData();
      form.append("file", file);
      const added = await store.api("checkpoints", { form });
      await store.refreshCatalogue();
      openUploaded(added);
      store.notify([t("panel.uploaded_checkpoint", { name: added.title || file.name }), ...(added.notes ?? [])].join(" "));
    } catch (problem) {
      setText(error, problem.sentence ?? String(problem));
      show(error, true);
    }
  });
  const label = h("label", { class: "play-button small", for: input.id, title: t("panel.upload_checkpoint_hint", { size: limit }) }, t("panel.upload_checkpoint"));
  return h("div", {}, input, label, error);
}

export function tooLarge(file, limit) {
  const size = (file.size / 2 ** 20).toFixed(1);
  return new store.PlayError(t("panel.too_large", { name: file.name, size, limit }));
}

// ---- downloads --------------------------------------------------------------------------------------

function mountDownloads(place) {
  const link = (key, path) => h("a", { class: "play-button small", href: `${store.base}runs/${state.run.id}/${path}`, download: "" }, t(key));
  let drawn = null;
  const draw = () => {
    const run = state.run;
    const saved = Boolean(run?.checkpoints?.length);
    const key = run ? `${run.id} ${saved} ${run.step > 0} ${ENDED.has(run.state)}` : "";
    if (key === drawn) return;
    drawn = key;
    if (!run) {
      place.replaceChildren(h("span", { class: "play-note" }, t("panel.downloads_none")));
      return;
    }
    place.replaceChildren(
      ...(saved ? [link("panel.download_checkpoint", "checkpoint")] : []),
      link("panel.download_metrics", "metrics.csv"),
      link("panel.download_script", "script.py"),
      ...(run.step > 0 ? [link("panel.download_film", `film.webp?view=${store.own.TIMELINE.view}`)] : []));
  };
  store.on("run", draw);
  draw();
}

export function mountFiles(element) {
  const runs = h("ul", { class: "play-list" });
  const none = h("p", { class: "play-note" }, t("panel.my_runs_none"));
  const checkpoints = h("ul", { class: "play-list" });
  const downloads = h("div", { class: "play-row" });
  const brought = h("ul", { class: "play-list" });
  const mine = section("brought", t("panel.brought"), false, brought);
  element.replaceChildren(
    section("runs", t("panel.my_runs"), true, none, runs),
    section("models", t("panel.saved_models"), true, checkpoints, uploader()),
    mine,
    section("downloads", t("panel.downloads"), false, downloads));
  mountRuns(runs, none);
  mountBrought(mine, brought);
  mountCheckpoints(checkpoints);
  mountDownloads(downloads);
}
