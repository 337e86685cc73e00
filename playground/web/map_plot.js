// The scatter of codes: Plotly's WebGL traces, one a class. Points glide where that is cheap, and
// are painted at most once a frame; zoom, hidden classes and selection survive every update.

import { calm, debounce, inFrame } from "./explorer_dom.js";
import { MapRange, MARGIN } from "./map_range.js";
import { on } from "./store.js";
import { grid, loadPlotly, palette, plotlyLayout } from "./theme.js";

const GLIDE_MS = 110; // time constant of points on their way
const SLOW_FRAME_MS = 26; // when a painted frame takes longer: no gliding, fewer paints
const SLOW_SHARE = 0.1; // of the time, at most, for painting what only follows a run on such a machine
const SETTLE_MS = 500; // after the last movement, Plotly itself is told where the points are
const MANY = 2500;

/** Colour of a class. */
export const classColor = (label) => palette.classes[label % palette.classes.length];

export class MapPlot {
  /**
   * @param {HTMLElement} element where Plotly draws; the style sheet gives its size
   * @param {import("./explorer_space.js").Space} space
   */
  constructor(element, space) {
    Object.assign(this, { element, space });
    this.request = inFrame((time) => this.#frame(time));
    this.range = new MapRange(element, space, this.request);
    this.hidden = new Set(); // labels
    this.selection = null; // Set of indices
    this.buffers = []; // one a class: which points, and where
    this.cost = 16; // ms from a paint's begin to the next frame, smoothed
    this.settle = debounce(() => { if (this.made && !space.cloud.moving) this.#react(); }, SETTLE_MS);
    space.on("cloud", () => { this.range.read = -Infinity; this.request(); });
    space.on("space", () => this.#newSpace());
    on("theme", () => this.#restyle());
    new ResizeObserver(() => { this.sized = true; this.request(); }).observe(element);
  }

  /** Load Plotly; rejects when it can't be had. */
  async start() {
    this.plotly = await loadPlotly();
    this.type = hasWebGL() ? "scattergl" : "scatter";
    this.request();
  }

  #newSpace() {
    const names = this.space.classNames.join();
    if (names !== this.names) this.hidden.clear();
    this.names = names;
    this.selection = null;
    this.range.follow();
    this.#restyle();
  }

  #restyle() {
    this.stale = true;
    this.request();
  }

  setHidden(labels) {
    this.hidden = new Set(labels);
    this.#restyle();
  }

  select(indices) {
    this.selection = indices?.size ? indices : null;
    this.#restyle();
  }

  // ---- frames -----------------------------------------------------------------------------------

  #frame(time) {
    if (!this.plotly || !this.space.cloud.total || !this.element.clientWidth) return;
    const since = time - (this.painted ?? -1e4);
    const gap = Math.min(Math.max(this.cost / SLOW_SHARE, 200), 1000);
    if (this.#mayWait() && since < gap) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(this.request, gap - since);
      return;
    }
    this.painted = time;
    this.#paint(time, Math.min(since, 100), this.cost > SLOW_FRAME_MS || calm());
    this.#measure(performance.now());
  }

  /** On a slow machine, what only follows a run or the timeline is painted less often. */
  #mayWait() {
    const busy = this.space.live || this.space.past;
    return busy && this.cost > SLOW_FRAME_MS && !this.stale && !this.sized && !this.range.dirty && this.made;
  }

  #paint(time, dt, jump) {
    const { cloud, range } = this;
    if (this.sized) range.resized();
    range.step(time, dt, jump || !this.made);
    if (cloud.moving) cloud.advance(jump ? 1 : 1 - Math.exp(-dt / GLIDE_MS));
    const ranged = range.dirty;
    range.dirty = false;
    const whole = !this.made || this.stale || this.sized || cloud !== this.drawn || cloud.revision !== this.revision;
    if (whole) this.#react();
    else {
      if (ranged) this.#relayout();
      this.#move();
    }
    if (cloud.moving || range.goal) this.request();
    if (ranged || whole) this.onrange?.();
  }

  get cloud() {
    return this.space.cloud;
  }

  #measure(begun) {
    requestAnimationFrame(() => {
      const cost = Math.min(performance.now() - begun, 200);
      this.cost += 0.3 * (cost - this.cost);
      this.element.dataset.frameMs = this.cost.toFixed(1);
    });
    this.element.dataset.paints = String(Number(this.element.dataset.paints ?? 0) + 1);
  }

  // ---- Plotly -----------------------------------------------------------------------------------

  #react() {
    this.stale = this.sized = false;
    const config = {
      displayModeBar: false, responsive: false, doubleClick: false, scrollZoom: false,
      showTips: false, plotGlPixelRatio: Math.min(window.devicePixelRatio || 1, 2),
    };
    this.plotly.react(this.element, this.#traces(), this.#layout(), config);
    this.drawn = this.cloud;
    this.revision = this.cloud.revision;
    if (this.made) return;
    this.made = true;
    this.element.on("plotly_relayout", () => {
      const { xaxis, yaxis } = this.element.layout;
      this.range.outside([...xaxis.range, ...yaxis.range].map(Number));
    });
    this.element.on("plotly_restyle", () => this.#styledOutside());
  }

  #traces() {
    const many = this.cloud.total > MANY;
    this.buffers = [...this.cloud.classes()].map(([label, ids]) => ({
      label, ids, x: new Float32Array(ids.length), y: new Float32Array(ids.length),
      positions: new Float64Array(2 * ids.length),
    }));
    this.#fill();
    return this.buffers.map(({ label, ids, x, y }) => ({
      type: this.type, mode: "markers", x, y, name: this.space.className(label), meta: label,
      visible: this.hidden.has(label) ? "legendonly" : true, hoverinfo: "skip",
      marker: { size: many ? 4.4 : 6, color: classColor(label), opacity: many ? 0.72 : 0.8, line: { width: 0 } },
      selectedpoints: this.selection && Array.from(ids.keys()).filter((k) => this.selection.has(ids[k])),
      selected: { marker: { opacity: 0.95 } }, unselected: { marker: { opacity: 0.07 } },
    }));
  }

  #fill() {
    const { shown } = this.cloud;
    for (const { ids, x, y, positions } of this.buffers) {
      for (let k = 0; k < ids.length; k += 1) {
        positions[2 * k] = x[k] = shown[2 * ids[k]];
        positions[2 * k + 1] = y[k] = shown[2 * ids[k] + 1];
      }
    }
  }

  #layout() {
    const [x0, x1, y0, y1] = this.range.now;
    const { flat } = this.cloud;
    const axis = {
      automargin: false, fixedrange: true, autorange: false, zerolinewidth: 1, zerolinecolor: grid(),
      showline: false, ticks: "outside", ticklen: 4, tickcolor: "rgba(0,0,0,0)", nticks: 9, tickfont: { size: 11 }, title: { text: "" },
    };
    return plotlyLayout({
      width: this.element.clientWidth, height: this.element.clientHeight, margin: MARGIN,
      showlegend: false, hovermode: false, dragmode: false, clickmode: "none", uirevision: "map",
      xaxis: { ...axis, range: [x0, x1] },
      yaxis: { ...axis, range: [y0, y1], showticklabels: !flat, showgrid: !flat, zeroline: !flat },
    });
  }

  #relayout() {
    const [x0, x1, y0, y1] = this.range.now;
    this.plotly.relayout(this.element, { "xaxis.range": [x0, x1], "yaxis.range": [y0, y1] });
  }

  /** Put the points where they are shown now: straight into the WebGL scene where there is one. */
  #move() {
    this.#fill();
    const { _plots: plots, _glcanvas: canvases } = this.element._fullLayout;
    const scene = plots?.xy?._scene;
    const seen = this.buffers.filter(({ label }) => !this.hidden.has(label));
    const known = scene?.scatter2d?.update && scene.draw && canvases?.each && scene.count === seen.length && !this.selection;
    if (!known) {
      this.#react();
      return;
    }
    scene.scatter2d.update(seen.map(({ positions }) => ({ positions })));
    canvases.each((layer) => layer.regl?.clear({ color: true }));
    scene.draw();
    this.settle();
  }

  #styledOutside() {
    const off = this.element.data.filter((trace) => trace.visible === "legendonly").map((trace) => trace.meta);
    if (off.length === this.hidden.size && off.every((label) => this.hidden.has(label))) return;
    this.hidden = new Set(off);
    this.onhidden?.();
  }
}

function hasWebGL() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl") ?? canvas.getContext("experimental-webgl"));
}
