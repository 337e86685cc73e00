// The losses of a translator, each beside the pictures that it is computed from, both ways.

import { debounce, errorLine, h, setText } from "./explorer_dom.js";
import { active, onHistory, seriesOf } from "./curves_history.js";
import { attempt } from "./curves_settings.js";
import { freshness } from "./crossing_state.js";
import { heatScale, topOf } from "./crossing_figures.js";
import { ColumnPicker, LossBar } from "./crossing_loss_bar.js";
import { LossRow } from "./crossing_loss_row.js";
import { Columns, OWN } from "./crossing_columns.js";
import { WAYS, explored, heldOut, lossesOf, runExplored, weightsOf } from "./crossing_terms.js";
import { fill } from "./dom.js";
import { decoded } from "./views_pictures.js";
import { applySettings, command, emit, on, settings, state, t } from "./store.js";

const JUDGE_MS = 3000; // how often D is asked about the pictures of a live run
const SEND_MS = 200; // a dragged weight is sent when it rests

export const buildLosses = (lab) => new LossesView(lab);

class LossesView {
  constructor(lab) {
    Object.assign(this, { lab, column: 0, turn: 0, tiles: null, judged: {}, moved: {}, seen: false, rows: {}, model: null });
    this.#build();
    this.columns = new Columns(lab);
    this.fresh = freshness(lab, () => this.#load(), { chosen: false });
    this.send = debounce((field, value) => attempt(() => command("set", { field, value })), SEND_MS);
    lab.on("space", () => this.#space());
    lab.on("sheet", () => this.#draw());
    lab.on("past", () => this.#draw());
    lab.on("chosen", () => this.#follow());
    onHistory((what) => { if (what === "metrics" || what === "reset") this.#write(); });
    for (const type of ["run", "settings", "catalogue", "source"]) on(type, () => this.#write());
  }

  #build() {
    this.bar = new LossBar();
    this.picker = new ColumnPicker((column) => { this.column = column; this.#draw(); });
    this.scale = heatScale();
    this.failure = errorLine();
    this.list = h("div", { class: "cy-losses" });
    this.note = h("p", { class: "play-note" });
    this.element = h("div", { class: "x-stack cy-view" }, this.bar.element,
      h("div", { class: "cy-line" }, this.picker.element, this.scale.element),
      this.failure.element, this.list, this.note);
  }

  /** The rows that the model has: CycleGAN's losses are not pix2pix's. */
  #rows() {
    const model = this.lab.model ?? "cyclegan";
    const kind = this.lab.config?.loss ?? "least_squares";
    const key = `${model} ${kind} ${this.lab.domains}`;
    if (this.built === key) return;
    this.built = key;
    this.model = model;
    this.rows = Object.fromEntries(Object.entries(lossesOf(model)).map(([loss, field]) =>
      [loss, new LossRow({ loss, field, kind, model, domains: this.lab.domains, weigh: (value) => this.#weigh(field, value) })]));
    fill(this.list, Object.values(this.rows).map((row) => row.element));
    setText(this.note, t(`cyclegan.losses_note_${model}`));
  }

  #space() {
    Object.assign(this, { asked: null, judged: {}, moved: {} });
    this.failure.clear();
    this.#rows();
    this.list.setAttribute("aria-busy", "true"); // the pictures are of another model until its own come
    this.#write();
  }

  shown(seen) {
    this.seen = seen;
    this.fresh.shown(seen);
    if (!seen) return;
    this.#rows();
    this.#draw();
    this.#write();
  }

  // ---- pictures -----------------------------------------------------------------------------------

  /** A saved model is asked for its pictures once. */
  async #load() {
    if (this.lab.live) return;
    try {
      const answer = await this.lab.ask("translations", {}, "losses");
      if (!answer) return;
      this.asked = answer.items.sheet;
      this.failure.clear();
      this.#draw();
    } catch (error) {
      this.failure.show(error);
    }
  }

  /** The picture of the stage is looked at here too. */
  #follow() {
    const { index, split, picture } = this.lab.chosen;
    this.column = !picture && split === "test" && index < this.columns.count ? index : OWN;
    this.#draw();
  }

  async #draw() {
    const { lab, columns } = this;
    const sheet = lab.past?.sheet ?? (lab.live ? lab.sheet : this.asked ?? lab.sheet);
    if (!this.seen || !sheet) return;
    const turn = (this.turn += 1);
    await columns.take(sheet);
    if (turn !== this.turn) return;
    this.#rows();
    if (this.column === OWN && !columns.hasOwn) this.column = lab.live || lab.past ? 0 : OWN;
    const tiles = columns.tiles(this.column);
    if (tiles) this.#show(tiles);
    if (lab.past) for (const way of WAYS) this.rows.validity?.lay(way, null);
    else if (lab.live) this.#judge(`${lab.generation} ${lab.step} ${this.column}`);
    else this.#exactly(turn);
  }

  /** A saved model, or a run that has ended, shows what becomes of the picture exactly. */
  async #exactly(turn) {
    const { columns } = this;
    try {
      const exact = await columns.exact(this.column);
      if (!exact || turn !== this.turn) return;
      if (exact.error) this.failure.show(exact.error);
      else this.failure.clear();
      this.judged = exact.judged;
      this.#show(exact.tiles);
      for (const way of WAYS) this.rows.validity?.lay(way, exact.patches[way]);
      this.#write();
    } catch (error) {
      this.failure.show(error);
    }
  }

  #show(tiles) {
    this.tiles = tiles;
    this.list.removeAttribute("aria-busy");
    this.picker.draw(this.columns.all(), this.column);
    const rows = Object.values(this.rows);
    const top = topOf(rows.flatMap((row) => row.draw(tiles)));
    for (const row of rows) row.heat(top);
    this.scale.set(top);
    this.#write();
  }

  /** Ask D which patches of the translations look real; of a run that trains, every few seconds. */
  async #judge(key) {
    const { lab, tiles, column } = this;
    const soon = lab.live && performance.now() - (this.judgedAt ?? -Infinity) < JUDGE_MS;
    if (lab.past || this.judging || this.judgedKey === key || soon || lab.status !== "ready") return;
    Object.assign(this, { judging: true, judgedKey: key, judgedAt: performance.now() });
    try {
      for (const way of WAYS) {
        const picture = tiles[way === "a2b" ? "a" : "b"].toDataURL("image/png");
        const answer = await lab.ask("translate", { picture, direction: way });
        if (!answer || this.column !== column || lab.past) return;
        this.judged[way] = answer.values;
        this.rows.validity?.lay(way, answer.items.patches ? await decoded(answer.items.patches) : null);
      }
      this.#write();
    } catch (error) {
      console.info("The discriminators were not asked:", error.message);
    } finally {
      this.judging = false;
    }
  }

  // ---- numbers and weights ------------------------------------------------------------------------

  /** The settings by which the losses are weighed: a run's own, or those that the person tries out. */
  #config() {
    const run = runExplored();
    return run && active(run) ? run.config : { ...this.lab.config, ...this.moved };
  }

  /** A loss now: in training where a run is shown, else on held-out pictures. */
  #value(loss, way, split) {
    const { past } = this.lab;
    const name = `${way}/${loss}`;
    if (past && runExplored()) {
      const series = seriesOf(split, name);
      const i = series ? series.nearest(past.step) : -1;
      return i < 0 ? null : series.y[i];
    }
    return split === "test" ? heldOut(loss, way, this.lab.domains) : explored(split, name);
  }

  #write() {
    if (!this.seen) return;
    const config = this.#config();
    const weights = weightsOf(this.model, config);
    const values = {};
    for (const [loss, row] of Object.entries(this.rows)) {
      values[loss] = WAYS.map((way) => {
        const [train, test] = ["train", "test"].map((split) => this.#value(loss, way, split));
        const patches = loss === "validity" ? this.judged[way] : null;
        row.numbers(way, { train, test, patches });
        return train ?? test ?? (patches ? unlike(patches.patches, config.loss) : null);
      });
      row.weight(config[row.field], weights[loss], config);
    }
    this.bar.set(this.model, weights, values, Boolean(runExplored()));
  }

  #weigh(field, value) {
    const run = runExplored();
    const live = run && active(run);
    this.moved[field] = value;
    if (settings().model === this.model) applySettings({ config: { [field]: value }, ...(live ? {} : { preset: null }) });
    if (live && run.owner_is_you) {
      this.send(field, value);
      emit("tried", { what: "weight", field, value });
    }
    this.#write();
  }
}

/** The validity loss of what D says of each patch, as far as it can be told from opinions. */
function unlike(rows, loss) {
  const all = (rows ?? []).flat();
  if (!all.length) return null;
  const each = loss === "nonsaturating" ? (p) => -Math.log(Math.max(p, 1e-6)) : (p) => (p - 1) ** 2;
  return all.reduce((sum, p) => sum + each(p), 0) / all.length;
}
