// The ten parts of one step: five of the discriminator's turn, five of the generator's, each with
// what lights up in the diagram, what the large picture shows, and the numbers of that very step.

import { number } from "./curves_format.js";
import { drawArrows } from "./lab_layers.js";
import { drawPoints } from "./lab_marks.js";
import { between } from "./lab_math.js";
import { t } from "./store.js";

const LABEL_PX = 84; // between two labels
const LABELLED = 5; // points of each kind whose score is written beside them
const MOVE_MS = 1100; // of a point, in an update
const PLAIN = { surface: true, real: false, centres: false };

/**
 * @typedef {object} Part
 * @property {"d"|"g"} side whose turn it is
 * @property {string} key sample, score, loss, gradient or update
 * @property {string[]} lit parts of the diagram
 * @property {Object<string, number>} numbers those that the diagram shows meanwhile
 * @property {{layers: object, draw: Function}} stage what the large picture shows
 * @property {string} words
 */

/**
 * @param {{arrays: Object<string, {data: Float32Array, shape: number[]}>, values: object}} step
 * @param {string} loss which loss the run trains by
 * @param {boolean} real whether the step will be taken afterwards
 * @returns {Part[]}
 */
export function partsOf({ arrays, values }, loss, real) {
  const { sample, score, loss: losses, gradient, update } = values;
  const show = new Show(arrays);
  const shown = { noise: arrays.noise && plane(arrays.noise), generated: arrays.fake?.data, real: arrays.real?.data };
  const words = {
    points: sample.points, real: number(score.real), fake: number(score.fake), taught: number(score.fake_taught),
    real_taught: number(score.real_taught), loss_d: number(losses.discriminator), loss_d_after: number(losses.discriminator_after),
    loss_g: number(losses.generator), loss_g_after: number(losses.generator_after), gradient_d: number(gradient.discriminator),
    gradient_g: number(gradient.generator), update_d: number(update.discriminator), update_g: number(update.generator),
  };
  const part = (side, key, lit, draw, numbers) => ({
    side, key, lit, numbers, stage: { layers: PLAIN, draw, show }, shown,
    words: t(`lab.slow_${side}_${key}`, { ...words, formula: t(`lab.formula_${side}_${loss}`), end: t(real ? "lab.slow_end" : "lab.slow_end_saved") }),
  });
  const before = { real: score.real, fake: score.fake };
  const lossD = { ...before, loss_d: losses.discriminator };
  const taught = { fake: score.fake_taught };
  const lossG = { ...taught, loss_g: losses.generator };
  return [
    part("d", "sample", ["noise", "generator", "generated", "real"], (...a) => show.both(...a), {}),
    part("d", "score", ["generated", "real", "surface", "score_fake", "score_real"], (...a) => show.scores(...a), before),
    part("d", "loss", ["score_fake", "score_real", "surface", "loss_d"], (...a) => show.scores(...a), lossD),
    part("d", "gradient", ["surface", "loss_d"], (...a) => show.both(...a), lossD),
    part("d", "update", ["surface", "score_fake", "score_real"], (...a) => show.taught(...a),
      { real: score.real_taught, fake: score.fake_taught, loss_d: losses.discriminator_after }),
    part("g", "sample", ["noise", "generator", "generated"], (...a) => show.fakes(...a), {}),
    part("g", "score", ["generated", "surface", "score_fake"], (...a) => show.fakeScores(...a), taught),
    part("g", "loss", ["score_fake", "surface", "loss_g"], (...a) => show.fakeScores(...a), lossG),
    part("g", "gradient", ["generated", "surface", "loss_g", "generator"], (...a) => show.pushes(...a), lossG),
    part("g", "update", ["noise", "generator", "generated"], (...a) => show.moved(...a),
      { fake: score.fake_after, loss_g: losses.generator_after }),
  ];
}

/** What the large picture shows in each part. */
class Show {
  constructor(arrays) {
    this.arrays = arrays;
    this.began = 0;
  }

  /** A part begins: what moves in it starts now. */
  begin(time) {
    this.began = time;
  }

  get(name) {
    return this.arrays[name]?.data ?? null;
  }

  #dots(ctx, view, colours, name, kind) {
    const xy = this.get(name);
    if (xy) drawPoints(ctx, view, xy, { colour: colours[kind], radius: 3, halo: colours.halo });
  }

  both(ctx, view, colours) {
    this.#dots(ctx, view, colours, "real", "real");
    this.#dots(ctx, view, colours, "fake", "generated");
  }

  scores(ctx, view, colours) {
    this.both(ctx, view, colours);
    this.#labels(ctx, view, colours, [["real", "score_real"], ["fake", "score_fake"]]);
  }

  taught(ctx, view, colours) {
    this.both(ctx, view, colours);
    this.#labels(ctx, view, colours, [["real", "score_real", "score_real_taught"], ["fake", "score_fake", "score_fake_taught"]]);
  }

  fakes(ctx, view, colours) {
    this.#dots(ctx, view, colours, "fake", "generated");
  }

  fakeScores(ctx, view, colours) {
    this.fakes(ctx, view, colours);
    this.#labels(ctx, view, colours, [["fake", "score_fake_taught"]]);
  }

  pushes(ctx, view, colours) {
    this.fakes(ctx, view, colours);
    if (this.arrays.gradient) drawArrows(ctx, view, this.arrays.gradient, colours, 44);
  }

  moved(ctx, view, colours, time) {
    const [from, to] = [this.get("fake"), this.get("fake_after")];
    if (!from || !to) return this.fakes(ctx, view, colours);
    const share = this.still ? 1 : Math.min(Math.max((time - this.began) / MOVE_MS, 0), 1);
    drawTrails(ctx, view, from, to, colours);
    drawPoints(ctx, view, between(from, to, share * share * (3 - 2 * share)), { colour: colours.generated, radius: 3, halo: colours.halo });
    if (share < 1) this.again?.();
    return undefined;
  }

  /** Scores beside a few points, far from each other so that they can be read. */
  #labels(ctx, view, colours, kinds) {
    const taken = [];
    for (const [points, score, after] of kinds) {
      const [xy, scores, later] = [this.get(points), this.get(score), after && this.get(after)];
      if (!xy || !scores) continue;
      for (const { i, x, y } of spread(xy, view, taken)) {
        const text = later ? `${scores[i].toFixed(2)} → ${later[i].toFixed(2)}` : scores[i].toFixed(2);
        label(ctx, view, [x, y], text, points === "real" ? colours.real : colours.generated, colours);
      }
    }
  }
}

/** A few points far from each other and from those taken already. */
function spread(xy, view, taken) {
  const chosen = [];
  const apart = Math.max(Math.min(view.width, view.height) / 5, LABEL_PX);
  for (let i = 0; i + 1 < xy.length && chosen.length < LABELLED; i += 2) {
    const [x, y] = view.px([xy[i], xy[i + 1]]);
    const seen = x > 8 && y > 14 && x < view.width - 40 && y < view.height - 14;
    if (!seen || taken.some((c) => Math.hypot(c.x - x, c.y - y) < apart)) continue;
    chosen.push({ i: i >> 1, x, y });
    taken.push(chosen.at(-1));
  }
  return chosen;
}

function label(ctx, view, [x, y], text, colour, { paper, ink }) {
  ctx.save();
  ctx.font = "600 12px system-ui, sans-serif";
  const width = ctx.measureText(text).width + 10;
  const left = x + 8 + width > view.width ? x - 8 - width : x + 8;
  ctx.beginPath();
  ctx.roundRect(left, y - 9, width, 18, 5);
  ctx.fillStyle = paper;
  ctx.globalAlpha = 0.92;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.6;
  ctx.stroke();
  ctx.fillStyle = ink;
  ctx.textBaseline = "middle";
  ctx.fillText(text, left + 5, y + 0.5);
  ctx.restore();
}

function drawTrails(ctx, view, from, to, colours) {
  ctx.save();
  ctx.beginPath();
  for (let i = 0; i + 1 < to.length; i += 2) {
    ctx.moveTo(...view.px([from[i], from[i + 1]]));
    ctx.lineTo(...view.px([to[i], to[i + 1]]));
  }
  ctx.strokeStyle = colours.generated;
  ctx.globalAlpha = 0.5;
  ctx.lineWidth = 1.2;
  ctx.stroke();
  ctx.restore();
}

/** The first two dimensions of noise. */
function plane({ data, shape }) {
  const [n, dims] = shape;
  const xy = new Float32Array(2 * n);
  for (let i = 0; i < n; i += 1) {
    xy[2 * i] = data[i * dims];
    xy[2 * i + 1] = dims > 1 ? data[i * dims + 1] : 0;
  }
  return xy;
}
