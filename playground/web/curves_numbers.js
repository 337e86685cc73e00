/** The present numbers: a small table, and above it what the tab adds. */

import { own, t } from "./store.js";
import { fill, h, setText } from "./curves_dom.js";
import { number, whole } from "./curves_format.js";
import { checkpointShown, metric, runShown, splitName, subject } from "./curves_history.js";
import { SPLITS } from "./curves_spec.js";
import { term } from "./help_terms.js";

/** @returns {{element: HTMLElement, update: () => void}} */
export function numbers() {
  const title = h("h3", { class: "mon-heading" });
  const body = h("tbody");
  const heads = SPLITS.map((split) => h("th", { scope: "col" }, splitName(split)));
  const table = h("table", { class: "mon-numbers" },
    h("caption", { class: "play-hidden" }, t("monitor.numbers_caption")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "play-hidden" }, t("monitor.quantity"))),
      heads, h("th", { scope: "col" }, h("span", { class: "play-hidden" }, t("monitor.unit"))))),
    body);
  const extra = own.numbersExtra?.();
  const note = h("p", { class: "play-note", hidden: true });
  const rows = own.ROWS.map((row) => makeRow(row));
  const update = () => {
    setText(title, heading());
    const used = rows.filter((row) => row.update());
    if (used.length !== body.childElementCount || used.some((row, i) => body.children[i] !== row.element)) {
      fill(body, used.map((row) => row.element));
    }
    SPLITS.forEach((name, i) => table.classList.toggle(`no-${name}`, !rows.some((row) => row.values[i] != null)));
    extra?.update();
    const remark = own.numbersNote?.() ?? "";
    setText(note, remark);
    note.hidden = !remark;
  };
  return { element: h("section", { class: "mon-section mon-present" }, title, extra?.element, table, note), update };
}

function heading() {
  const what = subject();
  if (!what) return t("monitor.nothing");
  if (runShown()) return t("monitor.this_run");
  return checkpointShown()?.title || t("monitor.checkpoint", { name: checkpointShown()?.name ?? "" });
}

function makeRow(row) {
  const cells = SPLITS.map(() => h("td", { class: "play-number" }));
  const unit = h("td", { class: "mon-unit" }, row.unit ?? "");
  const head = h("th", { scope: "row" },
    row.colour && h("span", { class: "mon-swatch", style: { background: `var(${row.colour})` } }),
    term(row.key, t(`monitor.row.${row.key}`)));
  const self = { element: h("tr", {}, head, cells, unit), values: [], update: () => false };
  self.update = () => {
    self.values = SPLITS.map((name) => value(row, name));
    cells.forEach((cell, i) => showValue(cell, row, self.values[i]));
    return self.values.some((v) => v != null);
  };
  return self;
}

/** Settings that change live stand in the config; a run's own report of them comes first. */
function value(row, split) {
  if (split === "monitor" && !runShown()) return null; // a checkpoint's stand in the test column
  const found = metric(split, row.metric);
  if (found != null || split !== "train") return found;
  const config = subject()?.config ?? {};
  return runShown() && typeof config[row.metric] === "number" ? config[row.metric] : null;
}

function totalOf({ of }) {
  if (typeof of === "function") return of();
  return typeof of === "string" ? subject()?.config[of] : of;
}

function showValue(cell, row, v) {
  const total = totalOf(row);
  const text = v == null ? "" : total ? t("monitor.of", { n: whole(v), total }) : number(v, row.digits);
  setText(cell, text);
  const exact = v == null || Number.isInteger(v) ? "" : number(v, 6);
  if (cell.title !== exact) cell.title = exact;
}
