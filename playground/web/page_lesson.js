// A lesson link, read once when the page opens: its title, its sentences, which controls there are.
// What it sets beside that (preset, hyperparameters, seed, checkpoint) is what every link may set.

export const MOST_TRIES = 5;
export const MOST_LETTERS = 200;
const TITLE_LETTERS = 80;
const MOST_NAMES = 200;
const NAME = /^[A-Za-z][\w-]{0,63}$/;
const INVISIBLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu;

/** What of the address belongs to a lesson, in whatever tab. */
export const LESSON_PARTS = ["lesson", "hide", "only", "try", "lock"];

/** Text of a link as it may be shown: one line, no invisible characters, at most so long. */
export function plain(text, most = MOST_LETTERS) {
  return [...text.replace(INVISIBLE, " ").replace(/\s+/g, " ").trim()].slice(0, most).join("");
}

/** Read a lesson from the query of an address, or null; `dropped` names what could not be used. */
export function readLesson(search, tabs) {
  const query = new URLSearchParams(search);
  if (!LESSON_PARTS.some((name) => query.has(name) && name !== "lock")) return null;
  const dropped = [];
  const names = (part) => {
    const all = query.getAll(part).flatMap((list) => list.split(",")).map((name) => name.trim()).filter(Boolean);
    if (all.length > MOST_NAMES || all.some((name) => !NAME.test(name))) dropped.push(part);
    return all.filter((name) => NAME.test(name)).slice(0, MOST_NAMES);
  };
  const given = query.getAll("try").map((text) => plain(text, Infinity)).filter(Boolean);
  if (given.length > MOST_TRIES || given.some((text) => [...text].length > MOST_LETTERS)) dropped.push("try");
  const tab = [query.get("lesson_tab"), query.get("tab")].find((key) => tabs.includes(key)) ?? tabs[0];
  const lesson = {
    tab,
    title: plain(query.get("lesson") ?? "", TITLE_LETTERS),
    hide: names("hide"),
    only: query.has("only") ? names("only") : null,
    tries: given.slice(0, MOST_TRIES).map((text) => plain(text)),
    lock: query.get("lock") === "1",
    dropped,
  };
  return { ...lesson, id: mark(JSON.stringify([tab, lesson.title, lesson.tries, query.get("preset"), query.get("checkpoint")])) };
}

/** A short name for a text, so that the browser can keep apart what it remembers of lessons. */
function mark(text) {
  let number = 5381;
  for (let i = 0; i < text.length; i += 1) number = (number * 33 + text.charCodeAt(i)) >>> 0;
  return number.toString(36);
}

/** The lesson with which this page was opened, or null. */
export const lesson = readLesson(location.search, Object.keys(window.Play.about));
