// Dialogs of the teacher's wall, and one sentence at its edge.

import { button, h } from "./dom.js";
import { t } from "./page_server.js";

const STAY_MS = 6000;

/** Open a dialog with these children; it leaves the page when it is closed. */
export function dialog(title, ...children) {
  const heading = h("h2", { id: "wall-dialog-title" }, title);
  const made = h("dialog", { class: "wall-dialog", "aria-labelledby": "wall-dialog-title" }, heading, children);
  made.addEventListener("close", () => made.remove());
  made.addEventListener("click", (event) => { if (event.target === made) made.close(); });
  document.body.append(made);
  made.showModal();
  return made;
}

/** A form in a dialog: `send` is called at the end, its error stands in the form. */
export function formDialog(title, children, { ok, send, extra = [] }) {
  const error = h("p", { class: "play-error", role: "alert" });
  const go = h("button", { type: "submit", class: "play-button primary" }, ok);
  const form = h("form", { class: "wall-form", onsubmit: async (event) => {
    event.preventDefault();
    go.disabled = true;
    error.textContent = "";
    try {
      await send();
      made.close();
    } catch (refused) {
      error.textContent = refused.sentence ?? String(refused);
    } finally {
      go.disabled = false;
    }
  } }, children, error, h("div", { class: "wall-ends" }, extra, h("span", { class: "wall-space" }), button(t("room.cancel"), () => made.close(), { kind: "quiet" }), go));
  const made = dialog(title, form);
  return { dialog: made, go };
}

/** Ask before something is lost; resolves to whether the person is sure. */
export function confirm(sentence, yes) {
  return new Promise((resolve) => {
    let sure = false;
    const made = dialog(sentence, h("div", { class: "wall-ends" }, h("span", { class: "wall-space" }),
      button(t("room.cancel"), () => made.close(), { kind: "quiet" }),
      button(yes, () => { sure = true; made.close(); }, { kind: "danger", id: "wall-sure" })));
    made.addEventListener("close", () => resolve(sure));
  });
}

/** Say one sentence at the page's edge. */
export function say(sentence, wrong = false) {
  let place = document.getElementById("wall-said");
  place ??= document.body.appendChild(h("div", { id: "wall-said", role: "status", "aria-live": "polite" }));
  const node = h("div", { class: `wall-said play-card${wrong ? " wrong" : ""}` }, sentence);
  place.append(node);
  while (place.children.length > 3) place.firstChild.remove();
  setTimeout(() => node.remove(), STAY_MS);
}
