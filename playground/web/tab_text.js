/** The text tab in its own words: charts, numbers, lessons, help. */

import { TERMS, build, kind, summary } from "./tab_text_help.js";
import { thumbnail } from "./text_sample.js";
import { t } from "./store.js";

export { link } from "./text_live.js";
export { CHARTS, ROWS, SPLITS, facts, numbersNote } from "./tab_text_charts.js";
export { LESSONS, PLACES, numbersNow } from "./tab_text_lessons.js";

export const DEFAULT_CHECKPOINT = "gpt/shakespeare";

export const HELP = { terms: TERMS, summary, kind, build };

export const TIMELINE = { view: "sample", thumbnail };

/** The name of a run that has no preset. */
export function runTitle(settings, dataset) {
  return t("text.run_title", { model: t(`text.kind_${settings.model}`), dataset: dataset?.title ?? settings.dataset ?? "" });
}

export const READY = [".tx-box-place[data-paints]", ".tx-row"];
