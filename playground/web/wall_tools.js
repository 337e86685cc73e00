// What the teacher sets for everyone: pushes, limits, a bare lesson, the export.

import { button, h } from "./dom.js";
import { base, t } from "./page_server.js";
import { formDialog, say } from "./wall_dialog.js";
import { act, ask } from "./wall_server.js";

// As PARTS in page_hidden.js, which belongs to the page with tabs.
const PARTS = [
  "preset", "dataset", "model", "amount", "seed", "own-data", "advanced", "train", "explorer", "timeline", "lessons", "help", "curves", "monitor", "compare", "runs", "models", "downloads", "share", "tabs",
];
const SIZES = ["batch_size", "latent_dim", "hidden_dim", "channels", "layers", "width", "units", "context"];
const MOST_TRIES = 5;

const label = (text, input, more = {}) => h("label", more, h("span", {}, text), input);
const whole = (input) => (input.value.trim() === "" ? null : Number(input.value));

/** Choose a preset or a saved model for one student ({id, name}), or for all (null). */
export async function openPush(to) {
  const catalogue = await (await fetch(`${base}catalogue`)).json();
  const who = to?.name ?? t("room.everyone");
  const groups = catalogue.models.filter((m) => m.presets.length).map((model) =>
    h("optgroup", { label: t("room.push_presets", { model: model.title }) }, model.presets.map((p) => h("option", { value: JSON.stringify({ model: model.key, preset: p.key }) }, p.title))));
  groups.push(h("optgroup", { label: t("room.push_models") }, catalogue.checkpoints.map((c) => h("option", { value: JSON.stringify({ checkpoint: c.name }) }, c.title))));
  const select = h("select", { id: "wall-push-what" }, groups);
  formDialog(t("room.push_title", { who }), [label(t("room.push_what"), select), h("p", { class: "play-note" }, t("room.push_note"))], {
    ok: t("room.push_send"),
    send: async () => {
      await act("push", { ...JSON.parse(select.value), ...(to ? { to: to.id } : {}) });
      say(t("room.pushed", { who, title: select.selectedOptions[0].textContent }));
    },
  });
}

/** Bound steps, seconds and sizes; `now` is what is set. */
export function openLimits(now) {
  const field = (value, name) => h("input", { type: "number", min: "1", step: "1", value: value ?? "", id: `wall-limit-${name}`, inputmode: "numeric" });
  const steps = field(now.steps, "steps");
  const seconds = field(now.seconds, "seconds");
  const names = [...new Set([...SIZES, ...Object.keys(now.sizes ?? {})])];
  const sizes = Object.fromEntries(names.map((name) => [name, field(now.sizes?.[name], name)]));
  formDialog(t("room.limits_title"), [
    h("p", { class: "play-note" }, t("room.limits_note")),
    h("div", { class: "wall-two" }, label(t("room.field_steps"), steps), label(t("room.field_seconds"), seconds)),
    h("fieldset", {}, h("legend", {}, t("room.field_sizes")), h("div", { class: "wall-sizes" }, names.map((name) => label(name.replaceAll("_", " "), sizes[name])))),
  ], {
    ok: t("room.ok"),
    send: async () => {
      const set = Object.entries(sizes).map(([name, input]) => [name, whole(input)]).filter(([, value]) => value !== null);
      await act("limits", { steps: whole(steps), seconds: whole(seconds), sizes: Object.fromEntries(set) });
      say(t("room.limits_set"));
    },
  });
}

/** Hide controls on all screens, and write sentences to try. */
export function openLesson(room) {
  const boxes = PARTS.map((part) => h("input", { type: "checkbox", value: part, checked: room.hide.includes(part) }));
  const others = h("input", { type: "text", id: "wall-hide-others", value: room.hide.filter((name) => !PARTS.includes(name)).join(", "), placeholder: t("room.lesson_other_note") });
  const tries = h("textarea", { rows: "4", id: "wall-tries", maxlength: "1100" }, room.tries.join("\n"));
  const clear = button(t("room.lesson_clear"), () => {
    for (const box of boxes) box.checked = false;
    others.value = tries.value = "";
  }, { kind: "quiet" });
  formDialog(t("room.lesson_title"), [
    h("p", { class: "play-note" }, t("room.lesson_note")),
    h("div", { class: "wall-parts" }, boxes.map((box) => h("label", { class: "wall-check" }, box, h("span", {}, t(`room.part_${box.value}`))))),
    label(t("room.lesson_other"), others), label(t("room.lesson_tries", { most: MOST_TRIES }), tries),
  ], {
    ok: t("room.ok"),
    extra: [clear],
    send: async () => {
      const named = others.value.split(/[\s,]+/).filter(Boolean);
      const hide = [...boxes.filter((box) => box.checked).map((box) => box.value), ...named];
      await act("hide", { hide, only: null, tries: tries.value.split("\n").map((line) => line.trim()).filter(Boolean) });
      say(t("room.lesson_set"));
    },
  });
}

/** Make one zip of what all made, and let the browser save it. */
export function openExport() {
  const kinds = ["newest", "all"].map((key, i) => h("input", { type: "radio", name: "runs", value: key, checked: i === 0 }));
  const wait = h("p", { class: "play-note", role: "status" });
  formDialog(t("room.export_title"), [
    h("p", { class: "play-note" }, t("room.export_note")),
    kinds.map((input) => h("label", { class: "wall-check" }, input, h("span", {}, t(`room.export_${input.value}`)))), wait,
  ], {
    ok: t("room.export_make"),
    send: async () => {
      wait.textContent = t("room.export_wait");
      const runs = kinds.find((input) => input.checked).value;
      const made = await (await ask("room/export", { runs }).finally(() => { wait.textContent = ""; })).json();
      const link = h("a", { href: `${base}room/export/${made.ticket}.zip`, download: made.name });
      document.body.append(link);
      link.click();
      link.remove();
      say(t("room.export_done", made));
    },
  });
}
