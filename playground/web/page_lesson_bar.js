// What stands under the header while a lesson link is open: its name, and the way to all controls.
import { button, h, setText, show } from "./dom.js";
import { lesson, onPage } from "./page.js";
import { mayShowAll, showAll } from "./page_hidden.js";
import { t } from "./page_server.js";

/** The bar, or null when the page was not opened by a lesson link. */
export function lessonBar() {
  if (!lesson) return null;
  let all = false;
  const toggle = button("", () => showAll(!all), { kind: "small quiet play-show-all", id: "play-show-all" });
  const draw = () => {
    show(toggle, mayShowAll());
    setText(toggle, t(all ? "shell.lesson_bare" : "shell.lesson_show_all"));
    toggle.setAttribute("aria-pressed", String(all));
  };
  onPage("hidden", (now) => {
    all = now.all;
    draw();
  });
  draw();
  const name = lesson.title ? t("shell.lesson_named", { title: lesson.title }) : t("shell.lesson_plain");
  return h("div", { class: "play-lesson-bar", role: "note" }, h("span", { class: "play-lesson-name" }, name), toggle);
}
