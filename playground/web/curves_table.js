/** The curves as a table: for screen readers, and for everybody who wants the numbers. */

import { t } from "./store.js";
import { fill, h } from "./curves_dom.js";
import { number, whole } from "./curves_format.js";
import { seriesOf, splitName } from "./curves_history.js";
import { partsOf } from "./curves_spec.js";

const ROWS = 12;

/** @param {object[]} specs the charts @returns {{element: HTMLElement, update: () => void}} */
export function valueTable(specs) {
  const table = h("table", { class: "mon-values" });
  const element = h("details", { class: "mon-fold" }, h("summary", {}, t("monitor.table_title")),
    h("div", { class: "mon-scroll", tabindex: "0", role: "region", "aria-label": t("monitor.table_title") }, table));
  const update = () => {
    if (element.open) fill(table, content(specs));
  };
  element.addEventListener("toggle", update);
  return { element, update };
}

function content(specs) {
  const columns = specs.flatMap((spec) => partsOf(spec).flatMap((part) => part.splits.map((split) => ({
    name: [t(`monitor.chart.${spec.key}`), typeof part.name === "function" ? part.name() : part.name, splitName(split)]
      .filter(Boolean).join(", "),
    unit: t(`monitor.unit.${spec.key}`),
    series: seriesOf(split, part.metric),
  })))).filter((column) => column.series?.length);
  if (!columns.length) return h("caption", {}, t("monitor.no_values"));
  const last = Math.max(...columns.map((c) => c.series.lastStep));
  const first = Math.min(...columns.map((c) => c.series.firstStep));
  const steps = [...new Set(Array.from({ length: ROWS }, (_, i) => Math.round(first + ((last - first) * i) / (ROWS - 1))))];
  return [
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("monitor.step")), columns.map((c) =>
      h("th", { scope: "col" }, c.name, " ", h("span", { class: "mon-unit" }, c.unit))))),
    h("tbody", {}, steps.map((step) => h("tr", {}, h("th", { scope: "row" }, whole(step)), columns.map((c) =>
      h("td", { class: "play-number" }, near(c.series, step, (last - first) / ROWS)))))),
  ];
}

/** The value nearest to a step, or nothing when none was measured near it. */
function near(series, step, reach) {
  const i = series.nearest(step);
  return Math.abs(series.x[i] - step) <= reach ? number(series.y[i]) : "";
}
