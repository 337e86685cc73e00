/** Where on the page a thing is done: scroll there, and light it up for a moment. */

import { calm } from "./curves_dom.js";

/** Candidates for each place, the first that is on the page and visible wins. */
const PLACES = {
  map: [".x-map", ".play-explorer"],
  pad: ["[data-view=draw]", "[data-tab=draw]", ".x-pad", ".play-explorer"],
  walk: ["[data-view=walk]", "[data-tab=walk]", ".x-walk", ".play-explorer"],
  sample: ["[data-view=sample]", "[data-tab=sample]", ".x-sample", ".play-explorer"],
  train: ["[data-play=train]", ".play-transport .primary", ".play-panel-transport .primary"],
  beta: ["[id$='-beta']", "[id$='config-beta']", ".play-panel-transport"],
};

/** Show a place; returns whether it was found. */
export function pointTo(place) {
  const found = (PLACES[place] ?? []).flatMap((selector) => [...document.querySelectorAll(selector)]);
  const element = found.find((node) => node.getClientRects().length > 0);
  if (!element) return false;
  element.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  element.classList.remove("mon-flash");
  void element.offsetWidth; // start the animation again when it is still running
  element.classList.add("mon-flash");
  setTimeout(() => element.classList.remove("mon-flash"), 2400);
  if (element.matches("button, a, [tabindex]")) element.focus({ preventScroll: true });
  return true;
}
