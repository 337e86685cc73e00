/** Where on the page a thing is done: go there, and light it up for a moment. */

import { calm } from "./curves_dom.js";
import { reveal } from "./panel_fields.js";
import { idOf, own, schema } from "./store.js";

/**
 * A place: the tab (a button's id) to open first, if any, and candidates: the first that is seen
 * wins. Train and the hyperparameters are places on every tab; others stand in tab_<tab>.js.
 * @typedef {{tab?: string, field?: string, find: string[], focus?: boolean}} Place
 */

/** @returns {Place} */
function placeOf(name) {
  const train = `#${idOf("train")}`;
  if (name === "train") return { find: [train], focus: true };
  if (schema().some((field) => field.name === name)) return { field: name, find: [`#${idOf(name)}`, train] };
  return own.PLACES?.[name] ?? { find: [] };
}


const LIT_MS = 2400;

/** Show a place; resolves to whether it was found. */
export async function pointTo(place) {
  const { tab, field, find, focus = false } = placeOf(place);
  if (field) await reveal(field);
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
