// Share: a click copies the link to what is on screen; the menu beside it makes a lesson link.
import { button, h, show } from "./dom.js";
import { notify, visibleStore } from "./page.js";
import { copyText } from "./page_copy.js";
import { t } from "./page_server.js";

async function share() {
  const link = visibleStore()?.shareLink();
  if (!link) return;
  if (await copyText(link)) notify(t("shell.share_done"));
  // Without https, or in some frames, a page may not write to the clipboard.
  else notify(t("shell.share_failed", { link }), { stay: true });
}

async function makeLesson() {
  if (!visibleStore()) return;
  const { openMaker } = await import("./page_lesson_maker.js"); // only when it is wanted
  openMaker(visibleStore());
}

/** The Share button with its menu. */
export function shareButtons() {
  const item = (label, act) => h("button", { type: "button", role: "menuitem", class: "play-menu-item", tabindex: "-1", onclick: () => { close(true); act(); } }, label);
  const items = [item(t("shell.share_copy"), share), item(t("shell.share_lesson"), makeLesson)];
  const menu = h("div", { class: "play-menu play-card", role: "menu", "aria-label": t("shell.share"), hidden: true }, items);
  const more = button("▾", () => (menu.hidden ? open() : close()), { kind: "small play-share-more", id: "play-share-more", title: t("shell.share_more") });
  const root = h("div", { class: "play-share-group" }, button(t("shell.share"), share, { kind: "small", id: "play-share" }), more, menu);
  more.setAttribute("aria-label", t("shell.share_more"));
  more.setAttribute("aria-haspopup", "menu");
  more.setAttribute("aria-expanded", "false");

  function open() {
    show(menu, true);
    more.setAttribute("aria-expanded", "true");
    items[0].focus();
  }

  function close(back = false) {
    if (menu.hidden) return;
    show(menu, false);
    more.setAttribute("aria-expanded", "false");
    if (back) more.focus();
  }

  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close(true);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    if (menu.hidden) open();
    else items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  });
  root.addEventListener("focusout", (event) => { if (!root.contains(event.relatedTarget)) close(); });
  return root;
}
