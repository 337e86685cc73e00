/** The present numbers: a small table, and what the bound is made of as two bars. */

import { t } from "./store.js";
import { fill, h, setText } from "./curves_dom.js";
import { number, whole } from "./curves_format.js";
import { checkpointShown, metric, published, runShown, subject } from "./curves_history.js";
import { ROWS } from "./curves_spec.js";
import { term } from "./help_terms.js";

const SPLITS = ["train", "test"];

/** @returns {{element: HTMLElement, update: () => void}} */
export function numbers() {
  const title = h("h3", { class: "mon-heading" });
  const body = h("tbody");
  const heads = SPLITS.map((split) => h("th", { scope: "col" }, t(`monitor.${split}`)));
  const table = h("table", { class: "mon-numbers" },
    h("caption", { class: "play-hidden" }, t("monitor.numbers_caption")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "play-hidden" }, t("monitor.quantity"))),
      heads, h("th", { scope: "col" }, h("span", { class: "play-hidden" }, t("monitor.unit"))))),
    body);
  const bars = split();
  const note = h("p", { class: "play-note", hidden: true }, t("monitor.gray_targets"));
  const rows = ROWS.map((row) => makeRow(row));
  const update = () => {
    setText(title, heading());
    const used = rows.filter((row) => row.update());
    if (used.length !== body.childElementCount || used.some((row, i) => body.children[i] !== row.element)) {
      fill(body, used.map((row) => row.element));
    }
    SPLITS.forEach((name, i) => table.classList.toggle(`no-${name}`, !rows.some((row) => row.values[i] != null)));
    bars.update();
    note.hidden = subject()?.config.likelihood !== "bernoulli_gray";
  };
  return { element: h("section", { class: "mon-section mon-present" }, title, bars.element, table, note), update };
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
  const found = metric(split, row.metric);
  if (found != null || split === "test") return found;
  const config = subject()?.config ?? {};
  return runShown() && typeof config[row.metric] === "number" ? config[row.metric] : null;
}

function showValue(cell, row, v) {
  const total = row.of ? subject()?.config[row.of] : null;
  const text = v == null ? "" : total ? t("monitor.of", { n: whole(v), total }) : number(v);
  setText(cell, text);
  const exact = v == null || Number.isInteger(v) ? "" : number(v, 6);
  if (cell.title !== exact) cell.title = exact;
}

/** The bound as a bar: reconstruction and KL, the published figure below at the same scale. */
function split() {
  const parts = ["reconstruction", "kl"].map((key) =>
    h("span", { class: "mon-part", style: { background: `var(--mon-${key})` } }));
  const other = h("span", { class: "mon-part hollow" });
  const [ownTotal, otherTotal] = [0, 1].map(() => h("span", { class: "mon-bar-total play-number" }));
  const line = (key, bar, total) => h("div", { class: "mon-bar-row" },
    h("span", { class: "mon-bar-label" }, t(key)), h("div", { class: "mon-bar" }, bar), total);
  const otherRow = line("monitor.split_published", other, otherTotal);
  const element = h("div", { class: "mon-split", role: "img" },
    h("span", { class: "mon-bar-title mon-unit" }, t("monitor.split_title")),
    line("monitor.split_own", parts, ownTotal), otherRow);
  const update = () => {
    const terms = ["reconstruction_nats", "kl_nats"].map((name) => metric("test", name) ?? metric("train", name));
    const reference = published();
    element.hidden = terms[0] == null;
    if (element.hidden) return;
    const total = terms[0] + (terms[1] ?? 0);
    const scale = 100 / (Math.max(total, -(reference?.value ?? 0)) * 1.02);
    parts.forEach((part, i) => width(part, (terms[i] ?? 0) * scale));
    setText(ownTotal, number(total));
    otherRow.hidden = !reference;
    if (reference) {
      width(other, -reference.value * scale);
      setText(otherTotal, number(-reference.value));
      otherRow.title = t("monitor.reference_title", { value: number(reference.value, 5), source: reference.source });
    }
    label(element, t("monitor.split_alt", {
      reconstruction: number(terms[0]), kl: number(terms[1] ?? 0), total: number(total),
      published: reference ? t("monitor.split_alt_published", { value: number(-reference.value) }) : "",
    }));
  };
  return { element, update };
}

function width(node, percent) {
  const text = `${Math.max(0, Math.min(percent, 100)).toFixed(1)}%`;
  if (node.style.width !== text) node.style.width = text;
}

function label(node, text) {
  if (node.getAttribute("aria-label") !== text) node.setAttribute("aria-label", text);
}
