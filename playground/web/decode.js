// From the wire to arrays and pictures.

/** base64 -> Uint8Array */
export function bytes(text) {
  const binary = atob(text ?? "");
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) out[i] = binary.charCodeAt(i);
  return out;
}

/** base64 of little-endian float32 -> Float32Array */
export function floats(text) {
  const raw = bytes(text);
  return new Float32Array(raw.buffer, 0, raw.byteLength >> 2);
}

/** A "points" payload -> {start, total, n, xy, labels, axes}; x of point i is xy[2 * i]. */
export function points(payload) {
  const xy = floats(payload.xy);
  return {
    start: payload.start, total: payload.total, n: xy.length >> 1,
    xy, labels: bytes(payload.labels), axes: payload.axes,
  };
}

const KINDS = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/** An "arrays" payload -> {name: {data, shape}}; the numbers beside them stay payload.values. */
export function readArrays(payload) {
  return Object.fromEntries(Object.entries(payload.arrays).map(([name, { dtype, shape, data }]) => {
    const Kind = KINDS[dtype];
    const raw = bytes(data);
    return [name, { data: new Kind(raw.buffer, 0, raw.byteLength / Kind.BYTES_PER_ELEMENT), shape }];
  }));
}

/** Picture source -> a decoded HTMLImageElement, ready to be drawn on a canvas. */
export async function loadImage(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

/** Tile `index` of a "sheet" payload as [x, y, width, height] in the sheet's pixels. */
export function tileBox(sheet, index) {
  const [h, w] = sheet.tile;
  return [(index % sheet.columns) * w, Math.floor(index / sheet.columns) * h, w, h];
}

/** Three significant digits, with a real minus sign; "–" for what is no number. */
export function shown(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 1e-4)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(Math.max(digits, size >= 1 ? Math.ceil(Math.log10(size + 1)) : digits))));
  return text.replace("-", "−");
}

/** Seconds -> "12 s", "3 min 20 s", "1 h 5 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
