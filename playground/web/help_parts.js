/** What "How it works" is made of on every tab. */

import { t } from "./store.js";
import { h } from "./curves_dom.js";
import { sentence } from "./help_terms.js";

/** A section with the title lessons.help.title_<name>; `title` gives other words. */
export function part(name, ...content) {
  return titled(name, t(`lessons.help.title_${name}`), ...content);
}

/** A section under a title of its own. */
export function titled(name, title, ...content) {
  return h("section", { class: "mon-part-box", dataset: { part: name } }, h("h4", { class: "mon-heading" }, title), content);
}

/** A paragraph in which [[key|word]] marks terms. */
export function text(key, vars) {
  return h("p", {}, sentence(t(key, vars), { tab: false }));
}
