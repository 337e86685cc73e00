// How tokens and probabilities are written on the page.

import { h } from "./explorer_dom.js";

const SIGNS = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "↵", "\u00a0": "⍽" };

/** A piece of text with its blanks made visible. */
export const visible = (piece) => piece.replace(/[ \n\t\r\u00a0]/g, (c) => SIGNS[c]) || "∅";

/** The same as a node: signs for blanks are quiet. */
export function pieceNode(piece) {
  const parts = piece.match(/[ \n\t\r\u00a0]+|[^ \n\t\r\u00a0]+/g) ?? [""];
  return h("span", { class: "tx-piece" }, parts.map((part) => (part in SIGNS || !part.trim() ? h("i", {}, visible(part)) : part)));
}

/** 0.4213 -> "42 %", 0.0042 -> "0.4 %", 0.00001 -> "<0.1 %". */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  const all = 100 * share;
  if (all === 0) return "0 %";
  if (all < 0.1) return "<0.1 %";
  if (all < 9.95) return `${all.toFixed(1)} %`;
  return `${all > 99.4 && all < 100 ? all.toFixed(1) : Math.round(all)} %`;
}
