// The class bar chart: how often each class is generated, beside how often the data have it.

import { h, svg } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { t } from "./store.js";

const [GENERATED, REAL] = ["var(--dc-generated)", "var(--dc-real)"];
const HEIGHT = 96;
const SHORT = 4; // letters of a name that still fits under its bars
const NAMED = 12; // classes whose names still fit under their bars
const GROUPED = /^(\w+) (\d)$/; // "red 0": a digit of a channel
const MOST = 60; // bars that can still be told apart

export class ClassChart {
  constructor() {
    this.plot = h("div", { class: "dc-classes-plot" });
    this.names = h("div", { class: "dc-classes-names", "aria-hidden": "true" });
    this.element = h("figure", { class: "dc-classes" },
      h("figcaption", { class: "dc-legend" }, key(GENERATED, "dcgan.generated"), key(REAL, "dcgan.real")), this.plot, this.names);
  }

  /** Show two "bars" payloads with the same names. */
  set(made, real) {
    const count = made?.names.length ?? 0;
    this.element.hidden = !count || count > MOST;
    if (this.element.hidden) return;
    const rows = count <= NAMED && made.names.some((name) => name.length > SHORT);
    this.element.classList.toggle("dc-rows", rows);
    if (rows) this.#rows(made, real);
    else this.#columns(made, real);
  }

  /** Long names: one row a class, the two bars under each other. */
  #rows(made, real) {
    const top = Math.max(...made.values, ...real.values, 1e-9);
    const bar = (value, colour, what) => h("i", { style: { width: `${(100 * value) / top}%`, background: colour }, title: `${what} ${percent(value)}` });
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", alt(made, real));
    fill(this.plot, made.names.map((name, i) => h("div", { class: "dc-class-row" }, h("span", { title: name }, name),
      h("div", {}, bar(made.values[i], GENERATED, t("dcgan.generated")), bar(real.values[i], REAL, t("dcgan.real"))))));
    fill(this.names);
  }

  #columns(made, real) {
    const count = made.names.length;
    this.plot.removeAttribute("role");
    this.plot.removeAttribute("aria-label");
    const top = 1.08 * Math.max(...made.values, ...real.values, 1e-9);
    const slot = 100 / count;
    const bar = (value, x, colour, name) => svg("rect", {
      x: `${x}%`, width: `${0.38 * slot}%`, y: HEIGHT * (1 - value / top), height: Math.max((HEIGHT * value) / top, 0), style: { fill: colour }, rx: 1,
    }, svg("title", {}, `${name}: ${percent(value)}`));
    fill(this.plot, svg("svg", { width: "100%", height: HEIGHT, role: "img", "aria-label": alt(made, real) },
      made.names.map((name, i) => [
        bar(made.values[i], i * slot + 0.1 * slot, GENERATED, `${name}, ${t("dcgan.generated")}`),
        bar(real.values[i], i * slot + 0.52 * slot, REAL, `${name}, ${t("dcgan.real")}`),
      ])));
    this.names.style.gridTemplateColumns = `repeat(${count}, minmax(0, 1fr))`;
    fill(this.names, count <= NAMED ? made.names.map((name) => h("span", { title: name }, name)) : grouped(made.names));
  }
}

/** Under many bars of a few channels: the digits, and each channel's name once. */
function grouped(names) {
  const parts = names.map((name) => GROUPED.exec(name));
  if (!parts.every(Boolean)) return [];
  const groups = [...new Set(parts.map(([, group]) => group))];
  const wide = names.length / groups.length;
  return [...parts.map(([, , digit]) => h("span", {}, digit)), ...groups.map((group) => h("span", { style: { gridColumn: `span ${wide}` } }, group))];
}

const percent = (share) => `${Math.round(1000 * share) / 10} %`;

function key(colour, name) {
  return h("span", {}, h("i", { class: "x-dot", style: { background: colour } }), t(name));
}

function alt(made, real) {
  const parts = made.names.map((name, i) => `${name} ${Math.round(100 * made.values[i])} % / ${Math.round(100 * real.values[i])} %`);
  return `${t("dcgan.classes_alt")} ${parts.join(", ")}`;
}
