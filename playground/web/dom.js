// Build DOM nodes. Text is set as text: what people or models write never becomes markup.

/** h("button", {class: "play-button", onclick: fn, disabled: true}, "Train") */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
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
