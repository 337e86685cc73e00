// Colours of the page, one grammar on all tabs, and Plotly in those colours.
import { isDark, onTheme } from "./page_theme.js";
import { base, emit, shared } from "./store.js";

export { isDark, setTheme } from "./page_theme.js";

// Ten classes: Petroff (2021), distinguishable with colour-blindness, the same in light and dark.
export const palette = {
  classes: [
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
  ],
  real: "#0072B2",
  generated: "#D55E00",
  discriminator: "#009E73",
  train: "#0072B2",
  test: "#D55E00",
};

const variable = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

export const ink = () => variable("--play-ink") || (isDark() ? "#e7e9ee" : "#1c2026");
export const muted = () => variable("--play-muted") || "#5c6571";
export const grid = () => variable("--play-line") || (isDark() ? "#2c323c" : "#dfe3e8");
export const paper = () => variable("--play-paper") || (isDark() ? "#181b21" : "#ffffff");
export const accent = () => variable("--play-accent") || "#4f46c8";

/** A Plotly layout in the present theme; what `layout` says comes on top, axes are merged. */
export function plotlyLayout(layout = {}) {
  const axis = {
    color: muted(), gridcolor: grid(), linecolor: grid(), zerolinecolor: grid(),
    automargin: true, title: { standoff: 8 },
  };
  const merged = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: variable("--play-font") || "system-ui, sans-serif", size: 12, color: ink() },
    margin: { l: 44, r: 12, t: 12, b: 36 },
    hoverlabel: { bgcolor: paper(), bordercolor: grid(), font: { color: ink() } },
    legend: { font: { color: ink() }, bgcolor: "rgba(0,0,0,0)" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: muted(), activecolor: accent() },
    colorway: palette.classes,
    ...layout,
  };
  const names = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  for (const name of new Set(["xaxis", "yaxis", ...names])) {
    merged[name] = { ...axis, ...(layout[name] ?? {}) };
  }
  return merged;
}

/** Load Plotly once for the page, from this server. */
export function loadPlotly() {
  window.Play.plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = shared("plotly.min.js");
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      window.Play.plotly = null;
      reject(new Error(`Plotly could not be loaded from ${base}`));
    };
    document.head.append(script);
  });
  return window.Play.plotly;
}

onTheme((theme) => emit("theme", theme));
