/** Pin the present run, see what differs from the pinned ones, take the pins off. */

import { on, own, state, t } from "./store.js";
import { modelOf } from "./store_catalogue.js";
import { ensureStyles, fill, h, setText } from "./curves_dom.js";
import { setting } from "./curves_format.js";
import { onHistory } from "./curves_history.js";
import { insteadLabel } from "./curves_settings.js";
import { allPins, differences, isPinned, alike, otherPins, pinRun, refreshPin, unpin } from "./compare_pins.js";

let strip = null; // there is one on the page

/** Put the strip of pins into the head of the curves, where it belongs. */
export function place(slot) {
  strip ??= build();
  slot.append(strip);
}

/**
 * Mount the strip of pins by itself: only where the page has no curves to carry it.
 * @param {HTMLElement} element
 */
export function mount(element) {
  ensureStyles();
  if (!strip) place(element);
}

function build() {
  const button = h("button", { type: "button", class: "play-button small", onclick: toggle });
  const list = h("ul", { class: "mon-pins" });
  const element = h("div", { class: "mon-compare" }, button, list);
  let drawn = "";
  const update = () => {
    const key = JSON.stringify([state.run?.id, state.run?.config, state.run?.seed, allPins().map((p) => [p.id, p.step])]);
    if (key === drawn) return;
    drawn = key;
    button.hidden = !state.run;
    setText(button, t(isPinned() ? "monitor.unpin_run" : "monitor.pin_run"));
    button.title = t("monitor.pin_help");
    button.setAttribute("aria-pressed", String(isPinned()));
    fill(list, otherPins().map((pin, i) => row(pin, i)));
    element.hidden = !state.run && !allPins().length;
  };
  for (const type of ["run", "pin", "reset", "changed"]) on(type, update);
  onHistory((what) => {
    if (what === "status" || what === "leaving") refreshPin();
  });
  update();
  return element;
}

function toggle() {
  if (isPinned()) unpin(state.run.id);
  else pinRun(runName(state.run));
}

/** A name for a run: its own title, else what is unusual about it. */
export function runName(run) {
  if (run.title) return run.title;
  const unusual = (modelOf(run.model)?.schema ?? [])
    .filter((f) => run.config[f.name] !== undefined && run.config[f.name] !== f.default)
    .slice(0, 2)
    .map((f) => `${f.label.replace(/\s*\(.*\)$/, "").toLowerCase()} ${setting(run.config[f.name])}`);
  return [run.model.toUpperCase(), ...unusual].join(", ");
}

function row(pin, index) {
  return h("li", { class: "mon-pin" },
    h("span", { class: `mon-dash dash-${index}`, "aria-hidden": "true" }),
    h("span", { class: "mon-pin-text" }, h("b", {}, pin.name), " ", h("span", { class: "mon-unit" }, difference(pin))),
    h("button", {
      type: "button", class: "mon-close", "aria-label": t("monitor.unpin", { name: pin.name }),
      title: t("monitor.unpin", { name: pin.name }), onclick: () => unpin(pin.id),
    }, "×"));
}

/** One line: what the present run has other than the pinned one. */
function difference(pin) {
  if (!state.run) return t("monitor.pin_waits");
  const rows = differences(pin, state.run);
  if (!rows.length) return t("monitor.pin_same");
  const named = rows.slice(0, 4).map(({ field, from, to }) => nameChange(pin, field, from, to));
  const more = rows.length > 4 ? t("monitor.pin_more", { n: rows.length - 4 }) : "";
  const unlike = alike(pin) ? "" : ` ${own.COMPARE?.unlike?.() ?? ""}`;
  return t("monitor.pin_differs", { what: named.join(", ") + more }) + unlike;
}

function nameChange(pin, field, from, to) {
  if (["model", "dataset", "seed"].includes(field)) {
    return t("monitor.instead", { name: t(`monitor.field.${field}`), from: String(from), to: String(to) });
  }
  return insteadLabel(pin.model, field, from, to);
}
