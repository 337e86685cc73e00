// Controls that are not shown: a lesson link hides some, a teacher may hide more. They are hidden
// by a style sheet, so that they keep their values, are out of reach of keyboard and screen reader
// too, and stay hidden when Gradio mounts them later (folds, other tabs).
import { about, tellPage } from "./page.js";
import { lesson } from "./page_lesson.js";
import { readCatalogue, ready as wordsReady, t } from "./page_server.js";

const each = (...ids) => (tab) => ids.map((id) => `#play-${tab}-${id}`);

/** Parts of the page by their names in a link: the selectors that hide them on a tab. */
const PARTS = {
  preset: each("preset"),
  dataset: each("dataset"),
  model: each("model"),
  amount: each("amount", "unit"),
  seed: each("seed"),
  "own-data": each("own-data", "files-brought"),
  advanced: (tab) => [foldsOf(tab)],
  train: each("panel-transport"),
  explorer: each("explorer", "lab", "dcgan", "crossing", "text", "text_sample"),
  timeline: each("timeline"),
  lessons: each("lessons"),
  help: each("help"),
  curves: each("curves .mon-curves"),
  monitor: each("curves .mon-present", "tab-monitor", "panel-monitor"),
  compare: each("compare", "curves .mon-compare-slot"),
  runs: each("files-runs"),
  models: each("files-models"),
  downloads: each("files-downloads"),
  share: () => ["#play-share", "#play-share-more"],
  tabs: () => ["#play-tabs > .tab-wrapper"],
};
/** What a list of the only controls leaves in its place: the thing itself, Train, the sentences. */
export const ALWAYS = ["explorer", "train", "lessons"];
export const PART_NAMES = Object.keys(PARTS);
const PANEL = ["preset", "dataset", "model", "amount", "seed", "own-data", "train", "runs", "models", "downloads"];
const FIELDS = ".play-left .play-field";

const foldsOf = (tab) => `.block[id^="play-${tab}-fold-"]`;
const slug = (group) => group.toLowerCase().replace(/[^a-z0-9]+/g, "-"); // as in controls.py

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

const asked = new Map(); // by whom -> {hide: Set, only: Set|null}
let shownAll = false; // the person asked for what the lesson hides
let fields = null; // tab -> [{name, fold: slug or null}], once the catalogue is there

/** Whether a control of this name is hidden now; `folded` says that it stands in a fold. */
function hides({ hide, only }, name, folded) {
  if (hide.has(name) || (folded && hide.has("advanced"))) return true;
  if (!only || only.has(name) || ALWAYS.includes(name)) return false;
  return !(folded && only.has("advanced"));
}

function inForce() {
  return [...asked].filter(([by]) => !(by === "lesson" && shownAll)).map(([, list]) => list);
}

/** Whether what a name stands for is hidden now. */
export function isHidden(name, folded = false) {
  return inForce().some((list) => hides(list, name, folded));
}

function selectors(tab) {
  const found = PART_NAMES.filter((name) => name !== "advanced" && isHidden(name)).flatMap((name) => PARTS[name](tab));
  if (isHidden("curves") && isHidden("monitor")) found.push(`#play-${tab}-curves`);
  if (!fields) {
    // Until the catalogue is there: what is named goes, and beside a list of the only ones all else.
    for (const { hide, only } of inForce()) {
      found.push(...[...hide].filter((name) => !PARTS[name]).map((name) => `#play-${tab}-${CSS.escape(name)}`));
      if (hide.has("advanced") || (only && !only.has("advanced"))) found.push(foldsOf(tab));
      if (only) found.push(`${FIELDS}:not(${[...only].flatMap((name) => PARTS[name]?.(tab) ?? [`#play-${tab}-${CSS.escape(name)}`]).join(", ") || "#none"})`);
    }
    return found;
  }
  const folds = new Map(); // slug -> whether all in it is hidden
  for (const { name, fold } of fields.get(tab)) {
    const gone = isHidden(name, fold !== null);
    if (gone) found.push(`#play-${tab}-${name}`);
    if (fold !== null) folds.set(fold, gone && (folds.get(fold) ?? true));
  }
  for (const [fold, gone] of folds) if (gone) found.push(`#play-${tab}-fold-${fold}`);
  return found;
}

function draw() {
  const gone = [...new Set(Object.keys(about).flatMap(selectors))];
  const rules = [];
  if (gone.length) {
    const left = `:not(${gone.filter((s) => !s.includes(" ")).join(", ")}, .play-absent, .hidden)`;
    rules.push(
      `:is(${gone.join(", ")}) { display: none !important; }`,
      // frames that hold nothing any more
      `.play-left .form:not(:has(> .block${left})) { display: none !important; }`,
      `.play-left > .row:not(:has(> .form > .block${left})) { display: none !important; }`,
      `.play-left > .play-live:has(.play-panel-files):not(:has(.play-section${left})) { display: none !important; }`,
    );
  }
  sheet.replaceSync(rules.join("\n"));
  const empty = (...names) => names.every((name) => isHidden(name));
  document.body?.classList.toggle("play-bare-right", empty("curves", "monitor", "compare"));
  document.body?.classList.toggle("play-bare-left", empty(...PANEL) && everyField());
  tellPage("hidden", { all: shownAll });
}

const everyField = () => Boolean(fields) && [...fields.values()].flat().every(({ name, fold }) => isHidden(name, fold !== null));

function known(name) {
  return PARTS[name] || [...fields.values()].some((list) => list.some((field) => field.name === name));
}

const ready = Promise.all([readCatalogue(() => null), wordsReady]).then(([catalogue]) => {
  const of = (tab) => catalogue.models.filter((m) => about[tab].models.includes(m.key)).flatMap((m) => m.schema);
  fields = new Map(Object.keys(about).map((tab) => [tab, of(tab).map((field) => ({
    name: field.name, fold: field.group || field.advanced ? slug(field.group || t("panel.more")) : null,
  }))]));
  draw();
});

/**
 * Hide the controls of these names and no others; `only` hides all but those (and ALWAYS). `by`
 * keeps apart what a lesson link hides and what the teacher of a room hides: both apply.
 * Resolves to the names that no control has.
 */
export async function applyHidden(names, { by = "lesson", only = null } = {}) {
  if (names.length || only) asked.set(by, { hide: new Set(names), only: only && new Set(only) });
  else asked.delete(by);
  draw();
  await ready;
  return [...new Set([...names, ...(only ?? [])])].filter((name) => !known(name));
}

/** Show what the lesson hides, or hide it again; what a room's teacher hides stays hidden. */
export function showAll(now) {
  shownAll = now;
  draw();
}

/** Whether a lesson hides anything that the person may ask for. */
export const mayShowAll = () => asked.has("lesson") && !lesson?.lock;

/** Resolves to the names in the page's own lesson link that no control has. */
export const unknownNames = lesson ? applyHidden(lesson.hide, { only: lesson.only }) : Promise.resolve([]);
