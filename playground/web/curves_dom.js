/** Elements without innerHTML: what a run or a person wrote is always text. */

/**
 * Make an element.
 * @param {string} tag
 * @param {Object<string, *>} [props] attributes; `on…` functions are listeners, `class`, `dataset`
 *   and `style` (an object of properties) do what they say; null and false are left out
 * @param {...(Node|string|null|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(element, name, value);
  element.append(...children.flat(Infinity).filter((c) => c != null && c !== false));
  return element;
}

function setProp(element, name, value) {
  if (value == null || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style") {
    for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
  } else element.setAttribute(name, value === true ? "" : String(value));
}

/** Set the text of a node only when it differs: no layout for an unchanged number. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Replace the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((c) => c != null && c !== false));
}

/**
 * Load monitor.css once, from beside this module, when the page has not done so.
 * @param {() => void} [loaded] called when it arrives later than the module that needs it
 */
export function ensureStyles(loaded) {
  let link = document.querySelector('link[href*="monitor.css"]');
  if (!link) {
    const href = new URL("monitor.css", import.meta.url).href;
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

/** Whether the system asks for less motion. */
export function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
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
