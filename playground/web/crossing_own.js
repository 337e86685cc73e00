// Pictures that a person brings to cross over: a copy for the screen and for every request, and the
// file itself, which only the result at full size is made of.

import { readImage } from "./pad_files.js";
import { PlayError, t } from "./store.js";

export const SCREEN_SIDE = 1024;
const MOST_BYTES = 20e6;
const MOST_CHARS = 180e3; // of a data URL: a request may have 256 KB
const EXACT_PIXELS = 200_000; // larger pictures are not tried as PNG: it takes time, and is too large
const QUALITIES = [0.92, 0.85, 0.75, 0.6];

/** A file as what can be chosen: {picture, name, canvas, width, height, file}. */
export async function readPicture(file) {
  if (!file) throw new PlayError(t("crossing.no_file"));
  const name = shortName(file.name);
  if (!file.size) throw new PlayError(t("crossing.file_empty", { name }));
  if (file.size > MOST_BYTES) throw new PlayError(t("crossing.file_large", { name, size: (file.size / 1e6).toFixed(0) }));
  let canvas;
  try {
    canvas = await readImage(file, { longest: SCREEN_SIDE });
  } catch {
    // What the browser cannot read the server perhaps can; if not, it says so.
    return { picture: await wholeFile(file), name, canvas: null, file };
  }
  return { ...ofCanvas(canvas, name), file };
}

/** A canvas as what can be chosen. */
export function ofCanvas(canvas, name, most = MOST_CHARS) {
  return { picture: encoded(canvas, most), name, canvas, width: canvas.width, height: canvas.height };
}

/** The file itself as a data URL. */
export function wholeFile(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.replace(/^data:[^,]*?(;base64)?,/, "data:image/*;base64,"));
    reader.onerror = () => reject(new PlayError(t("crossing.file_unread", { name: shortName(file.name) })));
    reader.readAsDataURL(file);
  });
}

/** A canvas as a data URL that fits a request; its transparency is kept where the browser can. */
function encoded(canvas, most) {
  if (canvas.width * canvas.height <= EXACT_PIXELS) {
    const exact = canvas.toDataURL("image/png");
    if (exact.length <= most) return exact;
  }
  for (const quality of QUALITIES) {
    const packed = canvas.toDataURL("image/webp", quality);
    const known = packed.startsWith("data:image/webp") ? packed : onWhite(canvas).toDataURL("image/jpeg", quality);
    if (known.length <= most) return known;
  }
  return encoded(resized(canvas, 0.75), most);
}

function onWhite(canvas) {
  const copy = resized(canvas, 1);
  const context = copy.getContext("2d");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, copy.width, copy.height);
  return copy;
}

function resized(canvas, scale) {
  const copy = document.createElement("canvas");
  copy.width = Math.max(1, Math.round(canvas.width * scale));
  copy.height = Math.max(1, Math.round(canvas.height * scale));
  const context = copy.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, copy.width, copy.height);
  return copy;
}

function shortName(name = "") {
  return name.length > 60 ? `${name.slice(0, 56)}…` : name || t("crossing.your_picture");
}
