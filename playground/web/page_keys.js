// The list of shortcuts, one dialog for the page.
import { button, h } from "./dom.js";
import { t } from "./page_server.js";

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
