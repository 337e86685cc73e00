// Style sheets of single tabs, one of each for the whole page.
import { shared } from "./page_server.js";

/** Load a style sheet of the page once; resolves when it applies. */
export function ensureStyles(file) {
  const href = shared(file);
  let link = [...document.querySelectorAll("link[rel=stylesheet]")].find((node) => node.href === href);
  link ??= document.head.appendChild(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  if (link.sheet) return Promise.resolve();
  return new Promise((resolve) => {
    for (const type of ["load", "error"]) link.addEventListener(type, resolve, { once: true });
  });
}
