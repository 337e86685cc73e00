// Colours of what is inside: one for shares, two for values on either side of zero.

import { accent, paper } from "./theme.js";

const GAMMA = 0.6; // small shares are seen too
const DEEPEST = 58; // per cent of the colour behind text, which must stay readable

/** How strongly a share of 0 to 1 is shown. */
const strength = (share) => Math.max(0, Math.min(1, share)) ** GAMMA;

/** The background of a share of 0 to 1. */
export const shareColour = (share) => (share < 0.004 ? "" : `color-mix(in srgb, var(--ti-share) ${(DEEPEST * strength(share)).toFixed(1)}%, transparent)`);

/** The background of a value of -1 to 1. */
export const signedColour = (value) => {
  const part = Math.min(1, Math.abs(value));
  return part < 0.01 ? "" : `color-mix(in srgb, var(${value < 0 ? "--ti-low" : "--ti-high"}) ${(DEEPEST * part).toFixed(1)}%, transparent)`;
};

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** A CSS colour as [red, green, blue]. */
function rgb(colour) {
  probe.canvas.width = probe.canvas.height = 1;
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const variable = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

/** 256 steps from the paper to a colour, as red, green, blue. */
function ramp(to, curve) {
  const [a, b] = [rgb(paper()), rgb(to)];
  const steps = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i += 1) for (let c = 0; c < 3; c += 1) steps[3 * i + c] = a[c] + curve(i / 255) * (b[c] - a[c]);
  return steps;
}

/** The scale of shares, 0 to 255. */
export const shareScale = () => ramp(variable("--ti-share") || accent(), strength);
/** The scale of what a causal model must not see. */
export const leakScale = () => ramp(variable("--ti-low"), strength);

/** The scale of values on either side of zero: 0 to 255, 128 is zero. */
export function signedScale() {
  const [low, high] = ["--ti-low", "--ti-high"].map((name) => ramp(variable(name), (share) => 0.95 * share));
  const steps = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i += 1) {
    const from = i < 128 ? low : high;
    const at = Math.min(255, Math.round(2 * Math.abs(i - 128)));
    for (let c = 0; c < 3; c += 1) steps[3 * i + c] = from[3 * at + c];
  }
  return steps;
}

/**
 * Draw bytes as pixels of a scale.
 * @param {HTMLCanvasElement} canvas
 * @param {{rows: number, columns: number, at: (row: number, column: number) => number, scaleOf: (row: number, column: number) => Uint8ClampedArray}} what
 */
export function drawCells(canvas, { rows, columns, at, scaleOf }) {
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let r = 0, p = 0; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1, p += 4) {
      const scale = scaleOf(r, c);
      const step = 3 * at(r, c);
      image.data[p] = scale[step];
      image.data[p + 1] = scale[step + 1];
      image.data[p + 2] = scale[step + 2];
      image.data[p + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}
