// How many streams one browser may hold. Over HTTP/1.1 it has six connections to a server for all
// its tabs and windows: were each one's stream to hold one, the seventh page would get no answer.
// Pages ask each other through a BroadcastChannel (there without https too); who came first has
// the right, the others poll.

const MOST = 3;
const ANSWER_MS = 80;
const LEASE = "play-streams";

const me = Math.random().toString(36).slice(2);
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(LEASE);
const held = new Map(); // what this page holds: token -> since when
const asking = new Map(); // token that was claimed -> tokens of those who came before
let counter = 0;

channel?.addEventListener("message", ({ data }) => {
  if (data.claim) {
    for (const [token, at] of held) {
      if (at < data.at || (at === data.at && token < data.claim)) channel.postMessage({ have: token, to: data.claim });
    }
  } else if (data.have && asking.has(data.to)) asking.get(data.to).add(data.have);
});

/** Ask for the right to hold one more stream; resolves to a token, or to null: then poll. */
export async function claimStream() {
  counter += 1;
  const token = `${me}-${counter}`;
  const at = Date.now();
  held.set(token, at);
  const others = new Set([...held.keys()].filter((other) => other !== token));
  asking.set(token, others);
  channel?.postMessage({ claim: token, at });
  if (channel) await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
  asking.delete(token);
  if (others.size < MOST) return token;
  held.delete(token);
  return null;
}

/** Give the right back. */
export function freeStream(token) {
  held.delete(token);
}
