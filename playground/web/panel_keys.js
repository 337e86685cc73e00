// Keyboard: space pauses, the right arrow steps, "?" lists the shortcuts; on the visible tab only.
import { showKeys } from "./page_keys.js";
import { press } from "./panel_transport.js";
import { state } from "./store.js";

const TYPING = "input, textarea, select, [contenteditable], [role=slider], [role=spinbutton], [role=listbox], [role=combobox], dialog";
const ACTING = "button, a, summary, [role=button], [role=tab], [role=radio], label, video";

function onKey(event) {
  if (!state.visible || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
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
