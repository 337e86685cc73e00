/** Pointer and keys on a chart: read values, zoom into steps, walk along the curve. */

import { MARGIN } from "./curves_draw.js";

/** @param {import("./curves_chart.js").Chart} chart @param {import("./curves_chart.js").View} view */
export function listen(chart, view) {
  const { area } = chart;
  let from = null; // where a drag began: {step, x}
  area.addEventListener("pointermove", (event) => {
    if (from && Math.abs(event.clientX - from.x) > 6) showBand(chart, from.x, event.clientX);
    const y = event.clientY - area.getBoundingClientRect().top;
    view.set({ cursor: chart.stepAt(event.clientX), owner: chart, y });
  });
  area.addEventListener("pointerleave", () => {
    if (!from) view.set({ cursor: null, owner: null });
  });
  area.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    from = { step: chart.stepAt(event.clientX), x: event.clientX };
    area.setPointerCapture(event.pointerId);
  });
  const end = (event) => {
    const start = from;
    from = null;
    hideBand(chart);
    if (!start || Math.abs(event.clientX - start.x) <= 6) return;
    const range = [start.step, chart.stepAt(event.clientX)].sort((a, b) => a - b);
    if (range[1] - range[0] >= 2) view.set({ zoom: range });
  };
  area.addEventListener("pointerup", end);
  area.addEventListener("pointercancel", () => {
    from = null;
    hideBand(chart);
  });
  area.addEventListener("dblclick", () => view.set({ zoom: null }));
  area.addEventListener("keydown", (event) => keys(event, chart, view));
  area.addEventListener("focus", () => chart.describe());
  area.addEventListener("blur", () => view.set({ cursor: null, owner: null }));
}

function keys(event, chart, view) {
  const { plot } = chart;
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!plot || !(move || ["Home", "End", "Escape"].includes(event.key))) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "Escape") {
    view.set({ cursor: null, owner: null, zoom: null });
    return;
  }
  const { low, high } = plot.x;
  const stride = ((high - low) / (plot.width - MARGIN.left - MARGIN.right)) * (event.shiftKey ? 40 : 6);
  const ends = { Home: low, End: high };
  const step = ends[event.key] ?? (view.cursor ?? high) + move * stride;
  view.set({ cursor: Math.min(Math.max(step, low), high), owner: chart, y: NaN });
  chart.describe();
}

function showBand(chart, a, b) {
  const box = chart.area.getBoundingClientRect();
  chart.band ??= chart.area.appendChild(document.createElement("div"));
  chart.band.className = "mon-band";
  chart.band.hidden = false;
  const [left, right] = [a - box.left, b - box.left].sort((p, q) => p - q);
  chart.band.style.left = `${Math.max(left, MARGIN.left)}px`;
  chart.band.style.width = `${Math.min(right, box.width - MARGIN.right) - Math.max(left, MARGIN.left)}px`;
}

function hideBand(chart) {
  if (chart.band) chart.band.hidden = true;
}
