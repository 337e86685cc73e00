// The odds of one place in a text under any knobs, from the logits that came with it: nothing is
// asked for again. What lies beyond the likeliest tokens is known in groups of equals.

const RECENT = 64; // tokens that the repetition penalty looks back at
const SURE_BITS = 1; // a shade of colour a bit
export const SHADES = 10;

/**
 * What is stored of one place: the likeliest tokens with their logits, falling, and the rest in
 * groups, each with its log-mean-exp and how many there are.
 * @typedef {{ids: Int32Array, logits: Float32Array, rest: Float32Array, counts: Int32Array}} Stored
 * @typedef {{temperature: number, top_k: number, top_p: number, repetition_penalty: number}} Knobs
 */

/** How the model itself sees it: no knob is turned. */
export const PLAIN = { temperature: 1, top_k: 0, top_p: 1, repetition_penalty: 1 };

/** The tokens before a place that are penalised. */
export const recentOf = (ids, at) => new Set(ids.slice(Math.max(0, at - RECENT), at));

/**
 * The odds under some knobs: entries in falling order, {id, share}, `id` null for the other
 * tokens, `count` of which share it alike.
 * @param {Stored} stored
 * @param {Knobs} knobs
 * @param {Set<number>} recent
 */
export function oddsOf(stored, knobs, recent) {
  const entries = ranked(stored, knobs.repetition_penalty, recent);
  if (knobs.temperature > 0) softened(entries, knobs.temperature);
  else entries.forEach((entry, i) => { entry.share = i === 0 ? 1 : 0; });
  if (knobs.top_k > 0) keepMost(entries, knobs.top_k);
  if (knobs.top_p < 1) keepLikeliest(entries, knobs.top_p);
  return entries;
}

function ranked({ ids, logits, rest, counts }, penalty, recent) {
  const penalised = (id, logit) => (recent.has(id) ? (logit > 0 ? logit / penalty : logit * penalty) : logit);
  const entries = Array.from(ids, (id, i) => ({ id, logit: penalised(id, logits[i]), count: 1, share: 0 }));
  rest.forEach((logit, i) => { if (counts[i] > 0) entries.push({ id: null, logit, count: counts[i], share: 0 }); });
  return entries.sort((a, b) => b.logit - a.logit);
}

function softened(entries, temperature) {
  const top = entries[0]?.logit ?? 0;
  for (const entry of entries) entry.share = entry.count * Math.exp((entry.logit - top) / temperature);
  normalise(entries);
}

function normalise(entries) {
  const sum = entries.reduce((total, { share }) => total + share, 0) || 1;
  for (const entry of entries) entry.share /= sum;
}

function keepMost(entries, most) {
  let left = most;
  for (const entry of entries) {
    const kept = Math.min(entry.count, Math.max(0, left));
    left -= entry.count;
    entry.share *= kept / entry.count;
  }
  normalise(entries);
}

function keepLikeliest(entries, mass) {
  let before = 0;
  for (const entry of entries) {
    const each = entry.share / entry.count;
    const kept = before >= mass ? 0 : Math.min(entry.count, Math.max(1, Math.ceil((mass - before) / (each || 1) - 1e-9)));
    before += entry.share;
    entry.share = each * kept;
  }
  normalise(entries);
}

/** The entry on which a draw from 0 to 1 falls. */
export function drawn(entries, uniform) {
  let below = 0;
  for (const entry of entries) {
    below += entry.share;
    if (uniform < below) return entry;
  }
  return entries.findLast((entry) => entry.share > 0) ?? null;
}

/** How undecided the odds are, as a number of equally likely tokens. */
export function choices(entries) {
  let nats = 0;
  for (const { share, count } of entries) if (share > 0) nats -= share * Math.log(share / count);
  return Math.exp(nats);
}

/** How surprising something of this probability is. */
export const bits = (probability) => -Math.log2(Math.max(probability, 1e-9));

/** The shade of a probability: 0 is no colour, each further one is a bit more surprising. */
export const shade = (probability) => Math.min(SHADES - 1, Math.max(0, Math.floor(bits(probability) / SURE_BITS)));

/** The smallest probability of a shade. */
export const leastOf = (index) => 2 ** (-(index + 1) * SURE_BITS);
