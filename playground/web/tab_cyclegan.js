/** The CycleGAN tab in its own words: charts, numbers, lessons, help. */

import { thumbnail } from "./crossing_scene.js";
import { TERMS, build, kind } from "./tab_cyclegan_help.js";
import { t } from "./store.js";

export { link } from "./crossing_live.js";
export { CHARTS, ROWS, facts } from "./tab_cyclegan_charts.js";
export { LESSONS, PLACES, numbersNow } from "./tab_cyclegan_lessons.js";

export const DEFAULT_CHECKPOINT = "cyclegan/emoji";

export const HELP = { terms: TERMS, summary: () => t("cyclegan.help.what"), kind, build };

export const TIMELINE = { view: "translations", thumbnail };

/** The name of a run that has no preset. */
export function runTitle(settings, dataset) {
  return t("crossing.run_title", { model: settings.model, dataset: dataset?.title ?? settings.dataset ?? "" });
}

export const READY = [".cx-theatre[data-paints]", ".cx-frame.filled"];
