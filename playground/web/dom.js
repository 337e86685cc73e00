// Build DOM nodes. No innerHTML anywhere: what people or models write stays text.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 * @param {string} tag
 * @param {Object<string, *>} [props] attributes; `on…` functions are listeners, `dataset` and
 *   `style` (objects) do what they say; null, undefined and false are left out
 * @param {...(Node|string|null|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  return build(document.createElement(tag), props, children);
}

/** As `h`, for SVG elements. */
export function svg(tag, props = {}, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

function build(element, props, children) {
  for (const [name, value] of Object.entries(props)) setProp(element, name, value);
  element.append(...shown(children));
  return element;
}

function setProp(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style") {
    for (const [key, v] of Object.entries(value)) {
      if (key.includes("-")) element.style.setProperty(key, v);
      else element.style[key] = v;
    }
  } else element.setAttribute(name, value === true ? "" : String(value));
}

const shown = (children) =>
  children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false);

/** Replace the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
}

/** Set text only when it differs, so that screen readers and selections are left in peace. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Show or hide a node. */
export function show(node, visible) {
  node.hidden = !visible;
}

/** A button in the page's look. */
export function button(label, onclick, { kind = "", title, id } = {}) {
  return h("button", { type: "button", class: `play-button ${kind}`.trim(), onclick, title, id }, label);
}

/** Whether the system asks for less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
