// What each model reaches on all held-out pairs, beside the copy that changes nothing.

import { h } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { shown } from "./decode.js";
import { term } from "./help_terms.js";
import { metricWay } from "./crossing_terms.js";
import { t } from "./store.js";

/** Columns: which metric, which is better, and what the identity copy has in its place. */
const COLUMNS = [
  { key: "l1", copy: "l1_identity", low: true },
  { key: "retrieval_top1", copy: "retrieval_top1_identity", percent: true },
  { key: "kid", copy: "kid_identity", low: true, explains: "style_distance" },
  { key: "perceptual_score", copy: () => 0 },
];

/** @returns {{element: HTMLElement, set: (models: object[], lab: object) => void}} */
export function scoreTable() {
  const table = h("table", { class: "cy-table" });
  const note = h("p", { class: "play-note" });
  const element = h("section", { class: "cy-scores" }, h("h4", { class: "x-sub" }, t("cyclegan.scores")), h("div", { class: "cy-scroll" }, table), note);
  let drawn = "";
  const set = (models, lab) => {
    const way = metricWay(lab);
    const rows = models.map(({ title, about }) => ({ title, values: valuesOf(about.metrics ?? {}, way) })).filter((r) => r.values.some((v) => v != null));
    const key = JSON.stringify([rows, way]);
    if (key === drawn) return;
    drawn = key;
    element.hidden = !rows.length;
    if (!rows.length) return;
    const columns = COLUMNS.map((_, i) => i).filter((i) => rows.some((r) => r.values[i] != null));
    const pairs = models.map((m) => read(m.about.metrics, "test_pairs")).find(Number.isFinite);
    note.textContent = t("cyclegan.scores_note", { n: pairs ?? "–" });
    const floor = models.map((m) => copyOf(m.about.metrics ?? {}, way)).find(([l1]) => l1 != null);
    fill(table, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("cyclegan.scores_model")),
      columns.map((i) => COLUMNS[i]).map(({ key: name, explains = name }) => h("th", { scope: "col" }, term(explains, t(`cyclegan.score.${name}`)))))),
    h("tbody", {}, floor ? line(t("cyclegan.scores_copy"), floor, "floor", columns, []) : null, rows.map((r) => line(r.title, r.values, "", columns, bestOf(rows)))));
  };
  return { element, set };
}

const read = (metrics, name) => metrics?.[name] ?? metrics?.[`test/${name}`] ?? null;
const valuesOf = (metrics, way) => COLUMNS.map(({ key }) => read(metrics, `${key}/${way}`));
const copyOf = (metrics, way) => COLUMNS.map(({ copy }) => (typeof copy === "function" ? copy() : read(metrics, `${copy}/${way}`)));

/** The best value of each column, where there are several. */
function bestOf(rows) {
  return COLUMNS.map(({ low }, i) => {
    const known = rows.map((r) => r.values[i]).filter((v) => v != null);
    return known.length < 2 ? null : Math[low ? "min" : "max"](...known);
  });
}

function line(title, values, kind, columns, best) {
  return h("tr", { class: kind }, h("th", { scope: "row" }, title), columns.map((i) =>
    h("td", { class: `play-number${values[i] != null && values[i] === best[i] ? " best" : ""}` }, told(values[i], COLUMNS[i]))));
}

function told(value, { percent }) {
  if (value == null) return "–";
  return percent ? t("cyclegan.percent", { value: shown(100 * value) }) : shown(value);
}
