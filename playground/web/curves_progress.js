/** How far a chart is drawn: with the same axes a new value costs a few pixel columns, no more. */

const WAIT_MS = 1000; // less than a pixel of news may wait this long
const REACH_PX = 5; // dots and line ends reach this far to the left of their step

export class Progress {
  constructor() {
    this.key = null;
    this.at = -Infinity;
    this.ends = []; // for each line what was there: {length, settled, last}
  }

  /**
   * The pixel column from which a plot must be drawn: 0 for all of it, its width for nothing.
   * @param {import("./curves_draw.js").Plot} plot
   */
  since(plot) {
    if (this.key !== keyOf(plot)) return 0;
    let step = Infinity;
    let news = 0; // pixels
    for (const [i, { series }] of plot.lines.entries()) {
      const was = this.ends[i];
      if (series.lastStep < was.last || series.width !== was.width) return 0;
      if (series.lastStep === was.last) continue;
      step = Math.min(step, was.settled);
      news = Math.max(news, plot.x.at(series.lastStep) - plot.x.at(was.last));
    }
    if (step === Infinity || (news < 1 && performance.now() - this.at < WAIT_MS)) return plot.width;
    return Math.max(0, Math.floor(plot.x.at(step)) - REACH_PX);
  }

  /** Remember that a plot stands on the canvas. */
  drew(plot) {
    this.key = keyOf(plot);
    this.at = performance.now();
    this.ends = plot.lines.map(({ series }) => ({
      last: series.lastStep, width: series.width,
      settled: series.length > 1 ? series.x[series.length - 2] : series.firstStep,
    }));
  }
}

function keyOf({ width, height, x, y, lines, references, marks, colours }) {
  const looks = lines.map((line) => [line.colour, line.split, line.smooth, line.dots && line.series.length <= 48, line.dash]);
  return JSON.stringify([
    width, height, x.low, x.high, y.low, y.high, y.log, looks, references, marks.length, colours.ink, colours.line,
  ]);
}
