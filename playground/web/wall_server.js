// The teacher's way to the server: the key from the link, kept for this browser tab only.

import { PlayError, base, owner, t } from "./page_server.js";

const KEPT = "play-teacher-key";

let key = keyOfLink() ?? kept();

/** Take the key out of the address, so that no projector shows it. */
function keyOfLink() {
  const found = new URLSearchParams(location.hash.slice(1)).get("key");
  if (found) history.replaceState(null, "", location.pathname + location.search);
  return found;
}

function kept() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export const hasKey = () => Boolean(key);

/** Use a key from now on; null forgets it. */
export function useKey(next) {
  key = next;
  try {
    if (next) sessionStorage.setItem(KEPT, next);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // the wall then asks again after a reload
  }
}

/** Ask one of the teacher's addresses; resolves to the answer of fetch, or throws a PlayError. */
export async function ask(path, body) {
  const headers = { "X-Play-Owner": owner, "X-Play-Teacher": key ?? "" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(base + path, { method: body === undefined ? "GET" : "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new PlayError(t("shell.unreachable"));
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => null);
  throw new PlayError(told?.error ?? t("shell.failed", { status: answer.status }), told?.field, answer.status, told?.retry_s);
}

/** Do something with the room: act("freeze"), act("end", {member}). */
export const act = (action, more = {}) => ask("room/act", { action, ...more });
