/** What a chart and a row of numbers are made of; a tab lists its own in tab_<tab>.js. */

/** Where a value was measured: in training steps, on test data, by the monitor beside training. */
export const SPLITS = ["train", "test", "monitor"];

/**
 * @typedef {object} ChartSpec
 * @property {string} key its strings are monitor.chart.<key> and monitor.unit.<key>
 * @property {string} [metric] what is drawn, in every split that has it
 * @property {string} [colour] a CSS variable
 * @property {{metric: string, colour: string, name: string|(() => string), splits?: string[]}[]}
 *   [lines] several metrics in place of one
 * @property {string[]} [splits] where the values that are drawn were measured; all, else
 * @property {number} height in pixels
 * @property {boolean} [zero] 0 is always in sight
 * @property {number[]} [range] the axis reaches at least from here to there
 * @property {boolean} [slow] drawn with the words, not with every event
 * @property {() => {value: number, text: string, source?: string}[]} [reference] dashed lines
 * @property {string[]} alerts whose cards stand here; "coverage*" means all that begin so
 *
 * @typedef {object} RowSpec
 * @property {string} key its string is monitor.row.<key>
 * @property {string} metric
 * @property {string} [unit]
 * @property {string} [colour]
 * @property {string|number|(() => number|null)} [of] a hyperparameter or a number: "7 of 8"
 * @property {number} [digits]
 */

/** The metrics of a chart with their colours and names. @param {ChartSpec} spec */
export function partsOf(spec) {
  return (spec.lines ?? [{ metric: spec.metric, colour: spec.colour, name: "" }])
    .map((part) => ({ splits: spec.splits ?? SPLITS, ...part }));
}

/** Whether a chart is the place of an alert. */
export function isHome(spec, alert) {
  return (spec.alerts ?? []).some((name) =>
    (name.endsWith("*") ? alert.startsWith(name.slice(0, -1)) : name === alert));
}
