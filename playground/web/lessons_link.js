/** Sentences that came with a lesson link: they stand in the place of the tab's own. */

import { lesson } from "./page.js";
import { own, state, t } from "./store.js";
import { plainSentence } from "./help_terms.js";

/** The words of a lesson, without marks. A link's own words are shown as they are. */
export const words = (one) => one.text ?? plainSentence(t(`lessons.${one.key}.do`));

/** The open link's sentences as lessons, or null when it has none for this tab. */
export function linked() {
  if (lesson?.tab !== state.tab || !lesson.tries.length) return null;
  const found = lesson.tries.map((text, i) => {
    if (!text.startsWith("lesson:")) return { key: `own-${i}`, kind: "linked", text, done: () => false };
    const known = own.LESSONS.find((one) => one.key === text.slice("lesson:".length));
    return known && Object.assign(Object.create(known), { kind: "linked" }); // its place may be a getter
  }).filter(Boolean);
  const once = found.filter((one, i) => found.findIndex((other) => other.key === one.key) === i);
  return once.length ? { key: lesson.id, lessons: once } : null;
}
