// The header: name, share, light and dark, shortcuts; sentences that come up; the live region.
import { button, h, setText, show } from "./dom.js";
import { showKeys } from "./panel_keys.js";
import * as store from "./store.js";
import { isDark, setTheme } from "./theme.js";

const { t } = store;
const STAY_MS = 7000;
const STAY_WITH_ACTIONS_MS = 20000;

async function share() {
  const link = store.shareLink();
  try {
    await navigator.clipboard.writeText(link);
    store.notify(t("shell.share_done"));
  } catch {
    // Without https, or in some frames, a page may not write to the clipboard.
    store.notify(t("shell.share_failed", { link }), { stay: true });
  }
}

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
  const remembered = (() => {
    try {
      return localStorage.getItem("play-theme");
    } catch {
      return null;
    }
  })();
  if (remembered && !new URLSearchParams(location.search).has("__theme")) setTheme(remembered);

  const light = button("", () => { setTheme(isDark() ? "light" : "dark"); label(); }, { kind: "small quiet", title: t("shell.theme") });
  const label = () => setText(light, t(isDark() ? "shell.theme_light" : "shell.theme_dark"));
  label();
  store.on("theme", label);
  const offline = h("div", { class: "play-warn", role: "status", hidden: true }, t("shell.unreachable"));
  element.replaceChildren(h("header", { class: "play-header" },
    h("div", { class: "play-brand" }, h("h1", {}, props.title), h("p", { class: "play-note" }, props.tagline)),
    h("div", { class: "play-row" },
      button(t("shell.share"), share, { kind: "small", id: "play-share" }), light,
      button("?", showKeys, { kind: "small quiet", title: t("shell.keys") }))), offline);

  const region = h("div", { class: "play-hidden", "aria-live": "polite", id: "play-announcer" });
  const toasts = h("div", { class: "play-toasts" });
  document.body.append(region, toasts);
  store.on("announce", (text) => { region.textContent = text; });
  store.on("notify", (detail) => {
    toasts.append(toast(detail));
    while (toasts.children.length > 4) toasts.firstChild.remove();
  });
  // A short gap in the connection is nobody's business.
  let timer = null;
  store.on("connection", (ok) => {
    clearTimeout(timer);
    if (ok) show(offline, false);
    else timer = setTimeout(() => show(offline, true), 2500);
  });
}
