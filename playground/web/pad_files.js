// Pictures that come as files: chosen, dropped or pasted; read and made small in the browser.

import { PlayError, t } from "./store.js";

const LONGEST = 400; // pixels a side, ample for 32
const MOST_CHARS = 180e3; // of a data URL: a request may have 256 KB
const MOST_BYTES = 30e6;

/** Call `take(files, by)` when pictures are dropped on an element, or pasted while it is seen. */
export function picturesOf(element, take) {
  const over = (on) => element.classList.toggle("dropping", on);
  element.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  element.addEventListener("dragleave", (event) => { if (!element.contains(event.relatedTarget)) over(false); });
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length) take(event.dataTransfer.files, "drop");
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    if (files.length && !typing && element.checkVisibility?.()) take(files, "paste");
  });
}

/** Read a picture file into a canvas of at most `longest` pixels a side; rejects with one sentence when it is none. */
export async function readImage(file, { longest = LONGEST } = {}) {
  if (!file) throw new PlayError(t("explorer.no_file"));
  if (file.size > MOST_BYTES) throw new PlayError(t("explorer.file_large", { name: file.name, size: (file.size / 1e6).toFixed(0) }));
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new PlayError(t("explorer.file_no_picture", { name: file.name }));
  }
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

/** A canvas as a data URL that fits a request: PNG, or JPEG on white where that is too large. */
export function dataURL(canvas) {
  const exact = canvas.toDataURL("image/png");
  if (exact.length <= MOST_CHARS) return exact;
  const flat = document.createElement("canvas");
  [flat.width, flat.height] = [canvas.width, canvas.height];
  const context = flat.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, flat.width, flat.height);
  context.drawImage(canvas, 0, 0);
  return flat.toDataURL("image/jpeg", 0.85);
}
