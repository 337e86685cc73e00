// What the curves, timeline, pins, lessons and help share beside dom.js.
import { h } from "./dom.js";
import { shared } from "./page_server.js";

export { calm, fill, h, setText } from "./dom.js";

/**
 * Load monitor.css once, from beside this module, when the page has not done so.
 * @param {() => void} [loaded] called when it arrives later than the module that needs it
 */
export function ensureStyles(loaded) {
  let link = document.querySelector('link[href*="monitor.css"]');
  if (!link) {
    const href = shared("monitor.css");
    link = document.head.appendChild(h("link", { rel: "stylesheet", href }));
  }
  if (loaded && !link.sheet) link.addEventListener("load", loaded, { once: true });
}

/**
 * Call `fn` at most once a frame and at most every `gap` milliseconds, the last call included.
 * @param {() => void} fn
 * @param {number|(() => number)} gap
 * @returns {() => void}
 */
export function paced(fn, gap) {
  let asked = false;
  let last = -Infinity;
  const frame = () => {
    const wait = last + (typeof gap === "function" ? gap() : gap) - performance.now();
    if (wait > 4) {
      setTimeout(() => requestAnimationFrame(frame), wait);
      return;
    }
    asked = false;
    last = performance.now();
    fn();
  };
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(frame);
  };
}

/** A value kept by the browser, or `fallback` when there is none or storage is closed. */
export function kept(storage, key, fallback) {
  try {
    return JSON.parse(storage.getItem(key)) ?? fallback;
  } catch {
    return fallback;
  }
}

/** Keep a value in the browser; a full or closed storage only means that it is forgotten. */
export function keep(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
