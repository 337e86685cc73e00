/** Where on the page a thing is done: go there, and light it up for a moment. */

import { calm } from "./curves_dom.js";

/** For each place the tab to open, if any, and candidates: the first that is seen wins. */
const PLACES = {
  map: { find: [".x-map", "#play-explorer"] },
  pad: { tab: "x-tab-draw", find: ["#x-panel-draw", "#play-explorer"] },
  walk: { tab: "x-tab-walk", find: ["#x-panel-walk", "#play-explorer"] },
  sample: { tab: "x-tab-sample", find: ["#x-panel-sample", "#play-explorer"] },
  train: { find: ["#play-train"], focus: true },
  beta: { find: ["[id^='play-'][id$='-beta']", "#play-train"] },
};
const LIT_MS = 2400;

/** Show a place; returns whether it was found. */
export function pointTo(place) {
  const { tab, find = [], focus = false } = PLACES[place] ?? {};
  if (tab) document.getElementById(tab)?.click();
  const found = find.flatMap((selector) => [...document.querySelectorAll(selector)]);
  const element = found.find((node) => node.getClientRects().length > 0);
  if (!element) return false;
  element.scrollIntoView({ block: fits(element) ? "nearest" : "start", behavior: calm() ? "auto" : "smooth" });
  element.classList.remove("mon-flash");
  void element.offsetWidth; // start the animation again when it is still running
  element.classList.add("mon-flash");
  setTimeout(() => element.classList.remove("mon-flash"), LIT_MS);
  if (focus) element.focus({ preventScroll: true });
  return true;
}

function fits(element) {
  return element.offsetHeight < innerHeight * 0.9;
}
