// Light and dark: chosen once for the whole page, remembered in this browser.

import { remember, remembered } from "./page_server.js";

const KEY = "play-theme";

export const isDark = () => document.body.classList.contains("dark");

/** Choose "light", "dark" or "auto" (as the system says). */
export function setTheme(choice) {
  remember(KEY, choice);
  const system = window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.classList.toggle("dark", choice === "dark" || (choice === "auto" && system));
}

/** Apply what was chosen before, unless the address says otherwise. */
export function applyTheme() {
  const choice = remembered(KEY);
  if (choice && !new URLSearchParams(location.search).has("__theme")) setTheme(choice);
}

/** Call `fn` whenever light becomes dark, or dark light. */
export function onTheme(fn) {
  let last = isDark();
  new MutationObserver(() => {
    if (isDark() === last) return;
    last = isDark();
    fn({ dark: last });
  }).observe(document.body, { attributeFilter: ["class"] });
}
