// Keyboard: space pauses, the right arrow steps, "?" lists the shortcuts.
import { button, h } from "./dom.js";
import { t } from "./store.js";
import { press } from "./panel_transport.js";

const TYPING = "input, textarea, select, [contenteditable], [role=slider], [role=spinbutton], [role=listbox], [role=combobox], dialog";
const ACTING = "button, a, summary, [role=button], [role=tab], [role=radio], label, video";

let dialog = null;

/** Show the list of shortcuts. */
export function showKeys() {
  if (!dialog) {
    const row = (key, does) => [h("dt", {}, h("kbd", {}, t(key))), h("dd", {}, t(does))];
    const close = button(t("shell.close"), () => dialog.close());
    dialog = h("dialog", { class: "play-dialog play-card", "aria-label": t("panel.shortcuts") },
      h("h2", { class: "play-title" }, t("panel.shortcuts")),
      h("dl", { class: "play-keys" },
        row("panel.key_space", "panel.key_space_does"),
        row("panel.key_right", "panel.key_right_does"),
        row("panel.key_help", "panel.key_help_does"),
        row("panel.key_tab", "panel.key_tab_does")),
      close);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
  }
  if (!dialog.open) dialog.showModal();
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  if (target.closest?.(TYPING)) return;
  if (event.key === "?") {
    event.preventDefault();
    showKeys();
  } else if (event.key === " " && !target.closest?.(ACTING)) {
    if (press("toggle")) event.preventDefault();
  } else if (event.key === "ArrowRight" && !target.closest?.(`${ACTING}, .js-plotly-plot, [tabindex]`)) {
    if (press("step")) event.preventDefault();
  }
}

let bound = false;
export function mountKeys() {
  if (bound) return;
  bound = true;
  document.addEventListener("keydown", onKey);
}
