/** Formulae as MathML, which the browser typesets by itself: no fonts, no library. */

const SPACE = "http://www.w3.org/1998/Math/MathML";

/** A MathML element; strings become identifiers, numbers, operators by their look, "~" a thin space. */
export function m(tag, props, ...children) {
  const node = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(props ?? {})) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).map(leaf));
  return node;
}

function leaf(child) {
  if (child instanceof Node) return child;
  const text = String(child);
  const tag = /^[\d.,]+$/.test(text) ? "mn" : /^[\p{L}][\p{L}\d]*$/u.test(text) ? "mi" : "mo";
  const node = document.createElementNS(SPACE, tag);
  node.textContent = text;
  if (tag === "mi" && text.length > 1) node.setAttribute("mathvariant", "normal");
  if (tag === "mo" && "()|".includes(text)) node.setAttribute("stretchy", "false");
  if (tag === "mo" && text === "~") return thin();
  return node;
}

function thin() {
  const node = document.createElementNS(SPACE, "mspace");
  node.setAttribute("width", "0.17em");
  return node;
}

/** A minus that belongs to what follows it. */
export function minus() {
  const node = leaf("−");
  node.setAttribute("form", "prefix");
  node.setAttribute("rspace", "0.05em");
  return node;
}

/** A row of parts. */
export const row = (...parts) => m("mrow", null, parts);
/** base with an index below. */
export const sub = (base, below) => m("msub", null, wrap(base), wrap(below));
/** base with an exponent. */
export const sup = (base, above) => m("msup", null, wrap(base), wrap(above));
/** base with both. */
export const subsup = (base, below, above) => m("msubsup", null, wrap(base), wrap(below), wrap(above));
/** A fraction. */
export const frac = (over, under) => m("mfrac", null, wrap(over), wrap(under));
/** A sum over an index, the index beneath. */
export const sum = (below, above) =>
  above ? m("munderover", null, "∑", wrap(below), wrap(above)) : m("munder", null, "∑", wrap(below));
/** Words between formulae. */
export const words = (text) => {
  const node = document.createElementNS(SPACE, "mtext");
  node.textContent = text;
  return node;
};

function wrap(part) {
  return Array.isArray(part) ? row(...part) : part;
}

/** A number that is filled in later: `set` gives it its text. */
export function slot() {
  const node = document.createElementNS(SPACE, "mn");
  node.setAttribute("class", "mon-live");
  node.textContent = "–";
  return { node, set: (text) => node.textContent !== text && (node.textContent = text) };
}

/** A formula on a line of its own, with words for those who cannot see it. */
export function formula(label, ...parts) {
  const math = m("math", { display: "block", "aria-label": label }, row(...parts));
  const box = document.createElement("div");
  box.className = "mon-formula";
  box.append(math);
  return box;
}
