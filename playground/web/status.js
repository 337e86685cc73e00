// The header: name, share, light and dark, shortcuts; sentences that come up; the live region.
// It stands outside all tabs and speaks for the one that is visible.
import { button, h, setText, show } from "./dom.js";
import { onPage, visibleStore, visibleTab } from "./page.js";
import { showKeys } from "./page_keys.js";
import { lessonBar } from "./page_lesson_bar.js";
import { onRenewed, t } from "./page_server.js";
import { shareButtons } from "./page_share.js";
import { applyTheme, isDark, onTheme, setTheme } from "./page_theme.js";

const STAY_MS = 7000;
const STAY_WITH_ACTIONS_MS = 20000;

function toast({ sentence, error, actions = [], stay }) {
  const close = () => node.remove();
  const node = h("div", { class: `play-toast play-card${error ? " wrong" : ""}`, role: error ? "alert" : "status" },
    h("span", {}, sentence),
    h("div", { class: "play-row" },
      actions.map(([label, fn]) => button(label, () => { close(); fn(); }, { kind: "small" })),
      button(t("shell.close"), close, { kind: "small quiet" })));
  if (!stay) setTimeout(close, actions.length || error ? STAY_WITH_ACTIONS_MS : STAY_MS);
  return node;
}

export function mount(element, props) {
  applyTheme();
  const light = button("", () => { setTheme(isDark() ? "light" : "dark"); label(); }, { kind: "small quiet", title: t("shell.theme") });
  const label = () => setText(light, t(isDark() ? "shell.theme_light" : "shell.theme_dark"));
  label();
  onTheme(label);
  const offline = h("div", { class: "play-warn", role: "status", hidden: true }, t("shell.unreachable"));
  const old = h("div", { class: "play-warn play-row", role: "status", hidden: true }, h("span", {}, t("shell.renewed")),
    button(t("shell.reload"), () => location.reload(), { kind: "small" }));
  onRenewed(() => show(old, true)); // never by itself: something may be half typed
  element.replaceChildren(h("header", { class: "play-header" },
    h("div", { class: "play-brand" }, h("h1", {}, props.title), h("p", { class: "play-note" }, props.tagline)),
    h("div", { class: "play-row" },
      shareButtons(), light,
      button("?", showKeys, { kind: "small quiet", title: t("shell.keys") }))),
  ...[lessonBar()].filter(Boolean), offline, old);

  const region = h("div", { class: "play-hidden", "aria-live": "polite", id: "play-announcer" });
  const toasts = h("div", { class: "play-toasts" });
  document.body.append(region, toasts);
  onPage("announce", (text) => { region.textContent = text; });
  onPage("notify", (detail) => {
    toasts.append(toast(detail));
    while (toasts.children.length > 4) toasts.firstChild.remove();
  });
  // A short gap in the connection is nobody's business.
  let timer = null;
  const connection = (ok) => {
    clearTimeout(timer);
    if (ok) show(offline, false);
    else timer = setTimeout(() => show(offline, true), 2500);
  };
  onPage("connection", ({ tab, ok }) => { if (tab === visibleTab()) connection(ok); });
  onPage("visible", () => connection(visibleStore()?.state.connected ?? true));
}
