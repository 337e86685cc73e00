// The teacher's wall: every student's run on one page. It asks once a second for what changed, and
// touches only the tiles that did.

import { button, fill, h, setText, show } from "./dom.js";
import { ready, remembered, t } from "./page_server.js";
import { applyTheme, isDark, onTheme, setTheme } from "./page_theme.js";
import { confirm, say } from "./wall_dialog.js";
import { frozenIcon } from "./room_icons.js";
import { joinCard } from "./wall_join.js";
import { Tile, needsHelp, stateOf } from "./wall_tile.js";
import { openExport, openLesson, openLimits, openPush } from "./wall_tools.js";
import { act, ask, hasKey, useKey } from "./wall_server.js";

const EVERY_MS = 1000;
const AWAY_MS = 3000;
const SORTS = ["help", "name", "progress", "joined"];
const FILTERS = ["all", "help", "training", "waiting", "ended", "none"];
const IN = {
  all: () => true,
  help: needsHelp,
  training: (s) => ["running", "turns", "starting"].includes(stateOf(s)),
  waiting: (s) => ["queued", "parked", "paused", "resting", "frozen"].includes(stateOf(s)),
  ended: (s) => ["finished", "stopped", "diverged", "failed", "interrupted"].includes(stateOf(s)),
  none: (s) => !s.run,
};
const share = (s) => (s.run?.max_steps ? s.run.step / s.run.max_steps : -1);
const byName = (a, b) => a.nickname.localeCompare(b.nickname, undefined, { numeric: true });
const BY = {
  help: (a, b) => needsHelp(b) - needsHelp(a) || (a.hand ?? Infinity) - (b.hand ?? Infinity) || byName(a, b),
  name: byName,
  progress: (a, b) => share(b) - share(a) || byName(a, b),
  joined: (a, b) => a.joined - b.joined,
};

class Wall {
  constructor(root) {
    this.tiles = new Map();
    this.cursor = "";
    this.room = null;
    this.sort = "help";
    this.filter = "all";
    this.text = "";
    this.#build(root);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#ask(); });
  }

  #build(root) {
    this.name = h("h1", {});
    this.counts = h("p", { class: "wall-counts play-number", role: "status" });
    this.freeze = button("", () => this.#do(this.room.frozen ? "resume" : "freeze"), { kind: "primary", id: "wall-freeze" });
    const tool = (key, fn) => button(t(`room.${key}`), fn, { id: `wall-${key}` });
    const theme = button("", () => { setTheme(isDark() ? "light" : "dark"); label(); }, { kind: "quiet", id: "wall-theme" });
    const label = () => setText(theme, t(isDark() ? "room.theme_light" : "room.theme_dark"));
    label();
    onTheme(() => { label(); for (const tile of this.tiles.values()) tile.picture.draw(); });
    this.join = joinCard();
    this.banner = h("div", { class: "wall-banner", role: "status", hidden: true });
    this.away = h("div", { class: "play-warn", role: "status", hidden: true }, t("room.wall_away"));
    this.grid = h("ul", { class: "wall-grid", "aria-label": t("room.wall_students") });
    this.empty = h("div", { class: "wall-empty" });
    const choice = (name, keys, fn) => h("label", { class: "wall-choice" }, h("span", {}, t(`room.${name}`)),
      h("select", { id: `wall-${name}`, onchange: (event) => fn(event.target.value) }, keys.map((key) => h("option", { value: key }, t(`room.${name}_${key}`)))));
    this.tools = h("div", { class: "wall-filters" },
      choice("sort", SORTS, (key) => { this.sort = key; this.#arrange(); }),
      choice("filter", FILTERS, (key) => { this.filter = key; this.#arrange(); }),
      h("input", { type: "search", id: "wall-find", placeholder: t("room.find"), "aria-label": t("room.find"), oninput: (event) => { this.text = event.target.value; this.#arrange(); } }));
    fill(root,
      h("header", { class: "wall-head" },
        h("div", { class: "wall-title" }, this.name, this.counts),
        h("div", { class: "wall-tools", role: "toolbar", "aria-label": t("room.wall_title") }, this.freeze,
          tool("push", () => openPush(null)), tool("limits", () => openLimits(this.room.limits)),
          tool("hide", () => openLesson(this.room)), tool("export", openExport),
          button(t("room.renew"), () => this.#renew(), { kind: "quiet", id: "wall-renew" }), theme)),
      this.away, this.join.element, this.banner, this.tools, this.empty, this.grid);
  }

  // ---- asking -----------------------------------------------------------------------------------

  /** Begin; throws when the key is not the room's. */
  async open() {
    this.#take(await (await ask("room/wall?after=")).json());
    this.#again(EVERY_MS);
  }

  #again(after) {
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => this.#ask(), after);
  }

  async #ask() {
    clearTimeout(this.timer);
    if (this.asking) return;
    this.asking = true;
    let wait = EVERY_MS;
    try {
      const began = performance.now();
      this.#take(await (await ask(`room/wall?after=${this.cursor}`)).json());
      wait = Math.max(200, EVERY_MS - (performance.now() - began));
      show(this.away, false);
    } catch (error) {
      if (!error.sentence) throw error;
      wait = AWAY_MS;
      if (error.status === 403) say(error.sentence, true);
      else show(this.away, true);
    } finally {
      this.asking = false;
      this.#again(wait);
    }
  }

  /** Take an answer in: only what changed is in it. */
  #take({ cursor, room, gone, tiles, pictures }) {
    const fresh = cursor.split(".")[0] !== this.cursor.split(".")[0];
    if (fresh) { // the server was started again: what it does not name is gone
      const named = new Set(tiles.map((s) => s.id));
      for (const id of [...this.tiles.keys()]) if (!named.has(id)) this.#drop(id);
    }
    this.cursor = cursor;
    for (const id of gone) this.#drop(id);
    for (const student of tiles) this.#tile(student).tell(student, room);
    for (const { id, event } of pictures) this.tiles.get(id)?.picture.take(event);
    const before = JSON.stringify(this.room);
    if (JSON.stringify(room) !== before) this.#tellRoom(room);
    if (tiles.length || gone.length || fresh) this.#arrange();
  }

  #tile(student) {
    let tile = this.tiles.get(student.id);
    if (!tile) {
      tile = new Tile(student.id, { soon: () => this.#ask() });
      this.tiles.set(student.id, tile);
      this.grid.append(tile.element);
    }
    return tile;
  }

  #drop(id) {
    this.tiles.get(id)?.element.remove();
    this.tiles.delete(id);
  }

  #tellRoom(room) {
    this.room = room;
    document.title = `${room.name} · ${t("room.wall_title")}`;
    setText(this.name, room.name);
    setText(this.freeze, t(room.frozen ? "room.resume" : "room.freeze"));
    this.freeze.setAttribute("aria-pressed", String(room.frozen));
    document.body.classList.toggle("wall-frozen", room.frozen);
    this.join.tell(room);
    for (const tile of this.tiles.values()) tile.tellRoom(room);
    const shown = room.spotlight;
    fill(this.banner, [
      room.frozen && h("span", { class: "wall-note frozen" }, frozenIcon(), t("room.frozen_wall")),
      shown && h("span", { class: "wall-note" }, t("room.showing", { name: shown.nickname }), button(t("room.do_unshow"), () => this.#do("spotlight", { member: null }), { kind: "small", id: "wall-unshow" })),
    ]);
    show(this.banner, Boolean(room.frozen || shown));
  }

  async #do(action, more) {
    try {
      await act(action, more);
      await this.#ask();
    } catch (error) {
      say(error.sentence ?? String(error), true);
    }
  }

  async #renew() {
    if (await confirm(t("room.sure_renew"), t("room.yes_renew"))) await this.#do("renew");
  }

  // ---- order ------------------------------------------------------------------------------------

  #arrange() {
    const all = [...this.tiles.values()].filter((tile) => tile.student);
    const wanted = this.text.trim().toLocaleLowerCase();
    const seen = all.filter(({ student: s }) => IN[this.filter](s) && s.nickname.toLocaleLowerCase().includes(wanted));
    seen.sort((a, b) => BY[this.sort](a.student, b.student));
    const order = new Set(seen);
    for (const tile of all) show(tile.element, order.has(tile));
    const now = [...this.grid.children].filter((node) => !node.hidden);
    const next = seen.map((tile) => tile.element);
    // Moving a node takes the focus away: only when the order is another one, and nobody is in it.
    if (next.some((node, i) => node !== now[i]) && !this.grid.contains(document.activeElement)) this.grid.append(...next);
    this.#count(all.map((tile) => tile.student));
    show(this.empty, seen.length === 0);
    if (!seen.length) {
      fill(this.empty, h("strong", {}, t(all.length ? "room.wall_none" : "room.wall_empty")), !all.length && h("p", { class: "play-note" }, t("room.wall_empty_note")));
    }
    show(this.tools, all.length > 0);
  }

  #count(students) {
    const n = (fn) => students.filter(fn).length;
    const parts = [students.length === 1 ? t("room.count_student") : t("room.count_students", { n: students.length })];
    for (const [key, number] of [["training", n(IN.training)], ["help", n(needsHelp)], ["away", n((s) => !s.here)]]) {
      if (number) parts.push(t(`room.count_${key}`, { n: number }));
    }
    setText(this.counts, parts.join(" · "));
  }
}

/** Ask for the key, where the link had none or a wrong one. */
function askForKey(root, problem, go) {
  const input = h("input", { type: "password", id: "wall-key", autocomplete: "off", required: true });
  const error = h("p", { class: "play-error", role: "alert" }, problem ?? "");
  fill(root, h("form", { class: "wall-key play-card", onsubmit: (event) => { event.preventDefault(); useKey(input.value.trim()); go(); } },
    h("h1", {}, t("room.wall_title")), h("label", {}, h("span", {}, t("room.wall_key")), input),
    h("p", { class: "play-note" }, t("room.wall_key_note")), error,
    h("button", { type: "submit", class: "play-button primary" }, t("room.wall_open"))));
  input.focus();
}

async function begin() {
  const root = document.getElementById("wall");
  if (remembered("play-theme")) applyTheme();
  else document.body.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);
  await ready;
  if (!hasKey()) return askForKey(root, null, begin);
  try {
    const wall = new Wall(root);
    await wall.open();
  } catch (error) {
    if (!error.sentence) throw error;
    if (error.status === 403 || error.status === 429) {
      useKey(null);
      askForKey(root, error.sentence, begin);
    } else setTimeout(begin, AWAY_MS);
    return;
  }
  root.dataset.ready = "1";
}

begin();
