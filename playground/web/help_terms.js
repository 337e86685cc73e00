/** Terms of the field: underlined on the page, explained at hover, focus or tap. */

import { own, t } from "./store.js";
import { h } from "./curves_dom.js";

let bubble = null;

/**
 * A word that explains itself.
 * @param {string} key a term of the glossary; an unknown one gives plain text
 * @param {string} text the word as it stands in the sentence
 * @param {{tab?: boolean}} [options] `tab: false` where the same word can be reached nearby
 */
export function term(key, text, { tab = true } = {}) {
  if (!own.HELP.terms.includes(key)) return document.createTextNode(text);
  const reach = tab ? { tabindex: "0", role: "button", "aria-description": t(`lessons.meaning.${key}`) } : {};
  const word = h("span", { class: "mon-term", ...reach }, text);
  const show = () => showBubble(word, key);
  word.addEventListener("pointerenter", show);
  word.addEventListener("focus", show);
  word.addEventListener("click", (event) => {
    event.stopPropagation();
    show();
  });
  word.addEventListener("pointerleave", hideBubble);
  word.addEventListener("blur", hideBubble);
  word.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideBubble();
  });
  return word;
}

/** A sentence in which [[key|word]] marks the terms. */
export function sentence(text, options) {
  return text.split(/(\[\[[^\]]+\]\])/).map((part) => {
    const found = /^\[\[(\w+)\|([^\]]+)\]\]$/.exec(part);
    return found ? term(found[1], found[2], options) : part;
  });
}

/** The same sentence without the marks, for titles and screen readers. */
export function plainSentence(text) {
  return text.replace(/\[\[(\w+)\|([^\]]+)\]\]/g, "$2");
}

function showBubble(word, key) {
  bubble ??= makeBubble();
  bubble.replaceChildren(h("b", {}, t(`lessons.term.${key}`)), " ", t(`lessons.meaning.${key}`));
  bubble.hidden = false;
  const box = word.getBoundingClientRect();
  const size = bubble.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left), innerWidth - size.width - 8);
  const below = box.bottom + 6 + size.height < innerHeight;
  bubble.style.left = `${left}px`;
  bubble.style.top = `${below ? box.bottom + 6 : box.top - size.height - 6}px`;
}

function makeBubble() {
  document.addEventListener("pointerdown", hideBubble);
  return document.body.appendChild(h("div", { class: "mon-bubble", role: "tooltip", hidden: true }));
}

function hideBubble() {
  if (bubble) bubble.hidden = true;
}
