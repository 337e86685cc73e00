// One run's events: server-sent while the tab is visible, polled where that does not get through
// or where other pages of this browser hold as many streams as it may have.
import { claimStream, freeStream } from "./page_streams.js";
import { api, base, off, on as listen, state } from "./store_core.js";

const POLL_MS = 700;
const QUIET_POLL_MS = 3500; // of a run that has ended
const TRIES = 3; // failures of the stream before the page polls
const POLLS_BEFORE_TRY = 15; // then the stream is tried again
const SILENCE_MS = 4000; // after which one poll checks whether the stream is stuck in a proxy

/**
 * Watch a run. `on` has: event(wire event), run(RunView), gone(), connection(is it there),
 * lively() (whether events are to be expected). Returns {close}.
 */
export function watch(id, on) {
  const path = `runs/${encodeURIComponent(id)}/events`;
  let cursor = 0; // seq of the last event taken
  let stream = null;
  let timer = null;
  let watchdog = null;
  let failures = 0;
  let polls = 0;
  let stuck = typeof EventSource === "undefined"; // never try the stream (again)
  let closed = false;
  let right = null; // to hold a stream
  let round = 0; // counts what was begun, so that a late answer begins nothing
  const unseen = () => document.hidden || !state.visible;

  function take(event) {
    if (closed || event.seq <= cursor) return false;
    cursor = event.seq;
    on.event(event);
    return true;
  }

  function hangUp() {
    stream?.close();
    stream = null;
    freeStream(right);
    right = null;
  }

  function rest() {
    hangUp();
    round += 1;
    clearTimeout(timer);
    clearInterval(watchdog);
    timer = null;
  }

  async function open() {
    rest();
    if (closed || unseen()) return;
    const mine = round;
    const given = stuck || failures >= TRIES ? null : await claimStream();
    if (mine !== round || closed) freeStream(given);
    else if (given) follow(given);
    else poll();
  }

  function follow(given) {
    right = given;
    let last = performance.now();
    let strikes = 0; // polls that found what the stream had not brought
    stream = new EventSource(`${base}${path}?after=${cursor}`);
    stream.onopen = () => on.connection(true);
    stream.onmessage = (message) => {
      failures = strikes = 0;
      last = performance.now();
      take(JSON.parse(message.data));
    };
    stream.onerror = () => {
      // The browser reconnects by itself, with Last-Event-ID, unless it was refused: a poll learns why.
      const refused = stream?.readyState === EventSource.CLOSED;
      failures = refused ? TRIES : failures + 1;
      if (!refused) on.connection(false);
      if (failures >= TRIES) later(0, open);
    };
    watchdog = setInterval(async () => {
      if (!stream || !on.lively() || performance.now() - last < SILENCE_MS) return;
      if (await ask().catch(() => false)) strikes += 1;
      if (strikes < 2 || !stream) return;
      stuck = true;
      open();
    }, SILENCE_MS / 2);
  }

  /** Fetch what is new; returns whether anything was. */
  async function ask() {
    const data = await api(`${path}?after=${cursor}&poll=1`);
    if (closed) return false;
    const came = data.events.map(take).some(Boolean);
    on.run(data.run);
    return came;
  }

  async function poll() {
    const mine = round;
    try {
      await ask();
      if (mine !== round) return;
      on.connection(true);
      polls += 1;
    } catch (error) {
      if (error.status === 404) {
        if (!closed) on.gone();
        return;
      }
      if (mine !== round) return;
      if (error.status !== 429) on.connection(false); // else it only asks for patience
    }
    if (!stuck && polls >= POLLS_BEFORE_TRY) {
      failures = polls = 0;
      later(0, open);
    } else later(on.lively() ? POLL_MS : QUIET_POLL_MS, poll);
  }

  function later(ms, work) {
    if (closed || unseen()) return;
    hangUp();
    clearInterval(watchdog);
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  }

  function looked() {
    if (unseen()) {
      rest();
      return;
    }
    failures = 0;
    open();
  }

  document.addEventListener("visibilitychange", looked);
  listen("visible", looked);
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", shownAgain);
  function shownAgain(event) {
    if (event.persisted) open();
  }
  open();

  return {
    close() {
      closed = true;
      rest();
      document.removeEventListener("visibilitychange", looked);
      off("visible", looked);
      window.removeEventListener("pagehide", rest);
      window.removeEventListener("pageshow", shownAgain);
    },
  };
}
