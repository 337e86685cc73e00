// Colours of the lab: those of the page's one grammar, and the scale of D's surface.
import { grid, ink, isDark, muted, palette, paper } from "./theme.js";

const GENERATOR = { light: "#a9538a", dark: "#d98bbb" }; // Okabe and Ito's reddish purple, readable
const EQUAL = { light: [226, 229, 234], dark: [52, 58, 68] }; // grey: D cannot tell
const STRENGTH = { light: 0.46, dark: 0.4 }; // points of the same colours must stand out on it

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** All colours that the lab draws with, in the present theme. */
export function colours() {
  const theme = isDark() ? "dark" : "light";
  return {
    theme, ink: ink(), muted: muted(), paper: paper(), line: grid(), generator: GENERATOR[theme],
    real: palette.real, generated: palette.generated, discriminator: palette.discriminator,
    halo: isDark() ? "rgb(255 255 255 / 70%)" : "rgb(255 255 255 / 85%)", scale: scale(theme),
  };
}

/**
 * 256 colours from "surely generated" over grey at one half to "surely real".
 * @returns {Uint8ClampedArray} red, green, blue of every step
 */
function scale(theme) {
  const middle = EQUAL[theme];
  const steps = new Uint8ClampedArray(256 * 3);
  const ends = [rgb(palette.generated), rgb(palette.real)];
  for (let i = 0; i < 256; i += 1) {
    const d = (i / 255 - 0.5) * 2;
    const share = Math.abs(d) ** 0.85 * STRENGTH[theme];
    const end = ends[d < 0 ? 0 : 1];
    for (let k = 0; k < 3; k += 1) steps[3 * i + k] = middle[k] + share * (end[k] - middle[k]);
  }
  return steps;
}

/** The scale as a CSS gradient, for its legend. */
export function gradient(steps) {
  const stops = [];
  for (let i = 0; i <= 8; i += 1) {
    const at = 3 * Math.round((i / 8) * 255);
    stops.push(`rgb(${steps[at]} ${steps[at + 1]} ${steps[at + 2]}) ${(i / 8) * 100}%`);
  }
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}

/** Paint a grid of probabilities, one pixel a value, onto a canvas of its own. */
export function paintGrid(canvas, { shape: [rows, columns], data }, steps) {
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < data.length; i += 1) {
    const at = 3 * Math.round(Math.min(Math.max(data[i], 0), 1) * 255);
    image.data[4 * i] = steps[at];
    image.data[4 * i + 1] = steps[at + 1];
    image.data[4 * i + 2] = steps[at + 2];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
