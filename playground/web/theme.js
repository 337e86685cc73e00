// Colours of the page, one grammar on all tabs, and Plotly in those colours.
import { base, emit } from "./store.js";

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

export const isDark = () => document.body.classList.contains("dark");

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

let plotly = null;

/** Load Plotly once, from this server. */
export function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = new URL("plotly.min.js", import.meta.url);
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = null;
      reject(new Error(`Plotly could not be loaded from ${base}`));
    };
    document.head.append(script);
  });
  return plotly;
}

/** Choose "light", "dark" or "auto" (as the system says); remembered in this browser. */
export function setTheme(choice) {
  try {
    localStorage.setItem("play-theme", choice);
  } catch {
    // Storage may be forbidden (private window, frame); the choice then lasts for this page.
  }
  const system = window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.classList.toggle("dark", choice === "dark" || (choice === "auto" && system));
}

let last = null;
function tell() {
  if (isDark() === last) return;
  last = isDark();
  emit("theme", { dark: last });
}
if (typeof document !== "undefined" && document.body) {
  last = isDark();
  new MutationObserver(tell).observe(document.body, { attributeFilter: ["class"] });
}
