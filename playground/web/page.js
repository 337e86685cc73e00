// The page around its tabs: which there are, which one is visible, and what the header is told.
// One for the whole page; a tab's modules import it like one of their own.

import { LESSON_PARTS, lesson } from "./page_lesson.js";
import { ready } from "./page_server.js";

export { lesson, ready };

const { Play } = window; // set up in the page's head, before anything is drawn
const KEPT = ["__theme", "room", ...LESSON_PARTS]; // what stays in the address beside the tab

/** What is known of every tab by its key, visited or not: {models}. */
export const { about } = Play;

let visible = Play.chosen;
let asked = {}; // the link with which a tab is opened
let taught = null; // the address of the lesson's own tab, while another one is seen

const listeners = new Map();
const waiting = new Map(); // what was told before somebody listened

/** Call `fn(detail)` at every event of the page: "visible", "announce", "notify", "connection". */
export function onPage(type, fn) {
  if (!listeners.has(type)) listeners.set(type, new Set());
  listeners.get(type).add(fn);
  for (const detail of waiting.get(type) ?? []) fn(detail);
  waiting.delete(type);
}

/** Tell the page; words for people wait until somebody shows them. */
export function tellPage(type, detail) {
  const known = listeners.get(type);
  if (!known) waiting.set(type, [...(waiting.get(type) ?? []), detail]);
  else for (const fn of [...known]) fn(detail);
}

/** Say something to a screen reader. */
export function announce(text) {
  tellPage("announce", text);
}

/** Show one sentence at the page's edge. options: {error, actions: [[label, fn]]}. */
export function notify(sentence, options = {}) {
  tellPage("notify", { sentence, ...options });
}

// ---- tabs ---------------------------------------------------------------------------------------

/** The key of the tab that is seen. */
export const visibleTab = () => visible;

/** The store of the tab that is seen; undefined until its modules are there. */
export const visibleStore = () => Play.tabs[visible];

/** The tab to which a model belongs, or null. */
export function tabOf(model) {
  return Object.keys(about).find((key) => about[key].models.includes(model)) ?? null;
}

/** For store.js: what `window.Play.tabs` shows of a tab. */
export function enter(tab, store) {
  Play.tabs[tab] = store;
}

/** Show a tab as a link with this query would, such as openTab("dcgan", {run: id}). */
export function openTab(tab, query = {}) {
  if (tab === visible) {
    writeAddress(tab, query);
    Play.tabs[tab]?.follow();
    return;
  }
  asked = query;
  document.getElementById(`play-tab-${tab}-button`)?.click();
}

/** Gradio shows a tab: at the beginning, and whenever a person chooses one. */
function show(tab) {
  if (tab === visible) return;
  visible = tab;
  const query = asked;
  asked = {};
  writeAddress(tab, query);
  tellPage("visible", tab);
  if (Object.keys(query).length) Play.tabs[tab]?.follow(); // a tab that is new here reads it itself
}

function writeAddress(tab, query) {
  const now = new URLSearchParams(location.search);
  const kept = KEPT.flatMap((name) => now.getAll(name).map((value) => [name, value]));
  if (lesson && tab !== lesson.tab) {
    if (!now.has("lesson_tab")) taught = now;
    kept.push(["lesson_tab", lesson.tab]);
  }
  const back = taught && tab === lesson.tab && !Object.keys(query).length;
  const next = back ? taught : new URLSearchParams([["tab", tab], ...Object.entries(query), ...kept]);
  history.replaceState(history.state, "", `${location.pathname}?${next}${location.hash}`);
}

Play.tabs = {};
Play.show = show;
Object.defineProperty(Play, "store", { get: visibleStore, configurable: true });
