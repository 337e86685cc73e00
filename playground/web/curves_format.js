/** Numbers as people read them: three significant digits, a true minus, grouped steps. */

const MINUS = "\u2212";

/**
 * A number with `digits` significant digits; "–" for none.
 * @param {number|null|undefined} value
 */
export function number(value, digits = 3) {
  if (value == null || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return scientific(value, digits);
  const text = Number(value.toPrecision(digits));
  const places = size === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(text))));
  const plain = Math.abs(text);
  return signed(plain >= 1e4 ? plain.toLocaleString("en-US") : plain.toFixed(places), text < 0);
}

/** A whole number with thousands grouped: 12,400. */
export function whole(value) {
  if (value == null || !Number.isFinite(value)) return "–";
  return signed(Math.abs(Math.round(value)).toLocaleString("en-US"), value < 0);
}

/** A setting's value: numbers at their full length, short. */
export function setting(value) {
  if (typeof value === "number") return signed(String(Number(Math.abs(value).toPrecision(6))), value < 0);
  return String(value);
}

/** A tick label: as short as the distance between the ticks allows. */
export function tick(value, step) {
  const size = Math.abs(value);
  if (size >= 1e9) return scientific(value, 1);
  if (size >= 1e6) return signed(`${trim((size / 1e6).toPrecision(3))}M`, value < 0);
  if (size >= 1e4 || (size >= 1000 && step >= 100)) {
    return signed(`${trim((size / 1e3).toPrecision(4))}k`, value < 0);
  }
  if (size !== 0 && size < 1e-3) return scientific(value, 1);
  const places = step > 0 ? Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) : 0;
  return signed(trim(size.toFixed(Math.min(places, 6))), value < 0);
}

function scientific(value, digits) {
  const [mantissa, exponent] = Math.abs(value).toExponential(digits - 1).split("e");
  const power = exponent.replace("+", "").replace("-", MINUS);
  return signed(`${mantissa}e${power}`, value < 0);
}

function trim(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function signed(text, negative) {
  return negative && Number(text.replace(/[^\d.]/g, "")) !== 0 ? MINUS + text : text;
}
