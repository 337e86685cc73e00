// Where tokens lie: their embeddings in the plane of largest variance, and those of the positions.

import { h, inFrame, setText } from "./explorer_dom.js";
import { number, whole } from "./curves_format.js";
import { readArrays } from "./decode.js";
import { fill, svg } from "./dom.js";
import { quoted } from "./text_inside_strip.js";
import { percent, visible } from "./text_words.js";
import { palette } from "./theme.js";
import { emit, t } from "./store.js";

const KINDS = ["vowel", "consonant", "upper", "letter", "digit", "punctuation", "space", "newline", "word", "piece", "byte"];
const COLOURS = {
  vowel: palette.classes[2], consonant: palette.classes[0], upper: palette.classes[4], letter: palette.classes[7], digit: palette.classes[1],
  punctuation: palette.classes[8], space: palette.classes[6], newline: palette.classes[6], word: palette.classes[9], piece: palette.classes[5], byte: palette.classes[3],
};
const EDGE = 18;
const FAR = 0.025; // of the tokens at either end of an axis: a few lie far out, and would press all others together
const REACH_PX = 28; // how near the pointer must come
const LETTER = { wide: 7.4, high: 9, gap: 2 }; // room that a letter takes
const RATIO = 0.85; // height of the plane

export const buildEmbeddings = (inside) => new EmbeddingsView(inside);

class EmbeddingsView {
  constructor(inside) {
    Object.assign(this, { inside, data: null, token: null, hidden: new Set() });
    this.#build();
    this.paint = inFrame(() => this.#paint());
    new ResizeObserver(() => this.#draw()).observe(this.plane);
  }

  #build() {
    this.svg = svg("svg", { class: "ti-plane-svg", "aria-hidden": "true" });
    this.plane = h("div", {
      class: "ti-plane", role: "img", tabindex: "0", onpointermove: (event) => this.#near(event), onpointerleave: () => this.#show(this.kept ?? null),
      onclick: (event) => this.#near(event, true), onkeydown: (event) => this.#key(event),
    }, this.svg);
    this.legend = h("div", { class: "ti-kinds" });
    this.explained = h("p", { class: "play-note" });
    this.detail = h("div", { class: "ti-near", "aria-live": "polite" });
    this.find = h("input", {
      type: "search", class: "x-number ti-find", placeholder: t("text_training.inside.find_token"), "aria-label": t("text_training.inside.find_token"),
      oninput: () => this.#search(this.find.value), onkeydown: (event) => event.stopPropagation(),
    });
    this.positions = h("figure", { class: "ti-positions" });
    this.element = h("div", { class: "ti-embeddings" },
      h("div", { class: "x-stack" }, h("div", { class: "x-line" }, this.legend, h("i", { class: "ti-spacer" }), this.find), this.plane, this.explained),
      h("div", { class: "x-stack" }, this.detail, this.positions));
  }

  clear() {
    Object.assign(this, { data: null, token: null, kept: null });
  }

  async load() {
    const answer = await this.inside.look("embeddings");
    if (!answer) return null;
    const { xy, neighbours, similarity, positions } = readArrays(answer);
    const { pieces, kinds, explained, counts } = answer.values;
    this.data = { xy: xy.data, count: pieces.length, pieces, kinds, counts, neighbours: neighbours.data, each: neighbours.shape[1], similarity: similarity.data };
    if (this.token !== null && this.token >= pieces.length) this.token = this.kept = null;
    this.#drawLegend();
    this.#draw();
    setText(this.explained, t("text_training.inside.explained", { share: percent(explained[0] + explained[1]), n: pieces.length }));
    this.#drawPositions(positions, answer.values);
    this.#show(this.token ?? this.#first());
    return answer;
  }

  /** The token to begin with: a vowel, else the first. */
  #first() {
    const vowel = this.data.kinds.indexOf("vowel");
    return vowel >= 0 ? vowel : 0;
  }

  #drawLegend() {
    const used = KINDS.filter((kind) => this.data.kinds.includes(kind));
    fill(this.legend, used.map((kind) => h("button", {
      type: "button", class: "ti-kind", "aria-pressed": String(!this.hidden.has(kind)), onclick: (event) => this.#toggle(kind, event.currentTarget),
    }, h("i", { style: { background: COLOURS[kind] } }), t(`text_training.inside.tokens_${kind}`))));
  }

  #toggle(kind, button) {
    if (!this.hidden.delete(kind)) this.hidden.add(kind);
    button.setAttribute("aria-pressed", String(!this.hidden.has(kind)));
    this.#draw();
  }

  // ---- drawing --------------------------------------------------------------------------------------

  #draw() {
    const width = this.plane.clientWidth;
    if (!this.data || !width) return;
    const height = Math.round(width * RATIO);
    this.plane.style.height = `${height}px`;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.places = spread(this.data.xy, this.data.count, width, height);
    const room = new Room();
    const marks = [];
    this.data.pieces.forEach((piece, i) => {
      if (this.hidden.has(this.data.kinds[i])) return;
      const [x, y] = this.places[i];
      const text = visible(piece);
      const named = room.take(x, y, text.length * LETTER.wide + (text.length > 1 ? LETTER.gap : -LETTER.gap), LETTER.high);
      const colour = COLOURS[this.data.kinds[i]];
      marks.push(named ? svg("text", { class: "ti-mark", x, y: y + 4.5, style: { fill: colour } }, text) : svg("circle", { class: "ti-mark-dot", cx: x, cy: y, r: 2.2, style: { fill: colour } }));
    });
    this.links = svg("g", { class: "ti-links" });
    fill(this.svg, marks, this.links);
    this.paint();
  }

  #paint() {
    const { token, data } = this;
    if (!data || !this.links || token === null) return;
    const [x, y] = this.places[token];
    const near = this.#neighbours(token);
    fill(this.links, near.map((i) => svg("line", { x1: x, y1: y, x2: this.places[i][0], y2: this.places[i][1] })),
      near.map((i) => svg("text", { class: "ti-mark near", x: this.places[i][0], y: this.places[i][1] + 4.5 }, visible(data.pieces[i]))),
      svg("circle", { class: "ti-ring", cx: x, cy: y, r: 11 }), svg("text", { class: "ti-mark chosen", x, y: y + 4.5 }, visible(data.pieces[token])));
  }

  #neighbours(token) {
    const { neighbours, each } = this.data;
    return [...neighbours.slice(token * each, (token + 1) * each)];
  }

  /** Positions of the context as a line through their plane: near ones should lie near. */
  #drawPositions(positions, { positions_explained: along, positions_note: note }) {
    if (!positions) return fill(this.positions, note ? [h("figcaption", {}, h("b", {}, t("text_training.inside.positions"))), h("p", { class: "play-note" }, note)] : []);
    const [count] = positions.shape;
    const [width, height] = [220, 170];
    const places = spread(positions.data, count, width, height);
    const colour = (i) => `color-mix(in oklab, var(--ti-high) ${Math.round((100 * i) / Math.max(1, count - 1))}%, var(--ti-low))`;
    fill(this.positions, h("figcaption", {}, h("b", {}, t("text_training.inside.positions")), " ", h("span", { class: "play-note" }, t("text_training.inside.share_shown", { share: percent(along[0] + along[1]) }))),
      svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "ti-positions-svg", role: "img", "aria-label": t("text_training.inside.positions_alt", { n: count }) },
        svg("polyline", { points: places.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ") }),
        places.map(([x, y], i) => svg("circle", { cx: x, cy: y, r: i === 0 || i === count - 1 ? 4 : 2.4, style: { fill: colour(i) } }, svg("title", {}, t("text_training.inside.position_n", { n: i + 1 })))),
        [0, count - 1].map((i) => svg("text", { class: "ti-tick", x: places[i][0] + 6, y: places[i][1] - 5 }, String(i + 1)))),
      h("p", { class: "play-note" }, t("text_training.inside.positions_note")));
  }

  // ---- pointing -------------------------------------------------------------------------------------

  #near(event, keep = false) {
    if (!this.places) return;
    const box = this.plane.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [best, least] = [null, REACH_PX];
    this.places.forEach(([px, py], i) => {
      const far = Math.hypot(px - x, py - y);
      if (far < least && !this.hidden.has(this.data.kinds[i])) [best, least] = [i, far];
    });
    if (best === null) return;
    if (keep) {
      this.kept = best;
      emit("tried", { what: "embedding" });
    }
    this.#show(best);
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || !this.data) return;
    event.preventDefault();
    event.stopPropagation();
    this.kept = ((this.token ?? 0) + step + this.data.count) % this.data.count;
    this.#show(this.kept);
  }

  #search(text) {
    if (!text || !this.data) return;
    const { pieces } = this.data;
    const exact = pieces.indexOf(text);
    const found = exact >= 0 ? exact : pieces.findIndex((piece) => piece.includes(text) || piece.trim().toLowerCase() === text.trim().toLowerCase());
    if (found >= 0) this.#show(this.kept = found);
  }

  #show(token) {
    if (token === null || !this.data) return;
    this.token = token;
    this.paint();
    const { pieces, kinds, counts, each, similarity } = this.data;
    const near = this.#neighbours(token);
    fill(this.detail, h("p", {}, h("b", { class: "ti-piece big", style: { color: COLOURS[kinds[token]] } }, visible(pieces[token])), " ", t(`text_training.inside.token_${kinds[token]}`),
      h("span", { class: "play-note" }, ` ${t("text_training.inside.times_in_text", { n: whole(counts[token]) })}`)),
      h("p", { class: "play-note" }, t("text_training.inside.nearest")),
      h("ol", { class: "ti-nearest" }, near.map((i, at) => h("li", {}, h("button", { type: "button", class: "ti-piece", style: { color: COLOURS[kinds[i]] }, onclick: () => this.#show(this.kept = i) }, visible(pieces[i])),
        h("span", { class: "play-number" }, number(similarity[token * each + at], 2))))));
    this.plane.setAttribute("aria-label", t("text_training.inside.plane_alt", { n: pieces.length, token: quoted(pieces[token]), near: near.map((i) => quoted(pieces[i])).join(", ") }));
  }
}

/** Places in pixels of points in a plane: each axis fills the room, what lies far out stands at its edge. */
function spread(xy, count, width, height) {
  const [xs, ys] = [[0, width], [1, height]].map(([axis, room]) => {
    const values = Array.from({ length: count }, (_, i) => xy[2 * i + axis]);
    const sorted = [...values].sort((a, b) => a - b);
    const [low, high] = [FAR, 1 - FAR].map((part) => sorted[Math.round(part * (count - 1))]);
    return values.map((value) => EDGE + clamped((value - low) / (high - low || 1)) * (room - 2 * EDGE));
  });
  return xs.map((x, i) => [x, height - ys[i]]);
}

const clamped = (share) => Math.min(1, Math.max(0, share));

/** Which places are taken by words that are written already. */
class Room {
  constructor() {
    this.taken = [];
  }

  take(x, y, width, height) {
    const box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
    const free = !this.taken.some(([a, b, c, d]) => box[0] < c && box[2] > a && box[1] < d && box[3] > b);
    if (free) this.taken.push(box);
    return free;
  }
}
