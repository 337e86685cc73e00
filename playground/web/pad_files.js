// Pictures that come as files: chosen, dropped or pasted; read and made small in the browser.

import { PlayError, t } from "./store.js";

const LONGEST = 640; // pixels a side, ample for 32
const MOST_BYTES = 30e6;

/** Call `take(files)` when pictures are dropped on an element, or pasted while it is seen. */
export function picturesOf(element, take) {
  const over = (on) => element.classList.toggle("dropping", on);
  element.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  element.addEventListener("dragleave", () => over(false));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length) take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    if (files.length && !typing && element.checkVisibility?.()) take(files);
  });
}

/** Read a picture file into a canvas; rejects with one sentence when it is none. */
export async function readImage(file) {
  if (!file) throw new PlayError(t("explorer.no_file"));
  if (file.size > MOST_BYTES) throw new PlayError(t("explorer.file_large", { name: file.name, size: (file.size / 1e6).toFixed(0) }));
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new PlayError(t("explorer.file_no_picture", { name: file.name }));
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}
