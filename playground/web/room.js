// A student's side of a room: joining it, the bar under the header, and what the teacher sets for
// all. One for the whole page; it asks the server every two seconds while the page is seen.

import { button, fill, h, setText, show } from "./dom.js";
import { announce, notify, onPage, visibleTab } from "./page.js";
import { applyHidden } from "./page_hidden.js";
import { api, ready, t } from "./page_server.js";
import { ensureStyles } from "./page_styles.js";
import { frozenIcon, handIcon } from "./room_icons.js";
import { joinForm } from "./room_join.js";
import { takePush } from "./room_push.js";
import { Spotlight } from "./room_spotlight.js";

const EVERY_MS = 2000;
const SLOW_MS = 6000; // while the server does not answer

class RoomBar {
  constructor(element) {
    const query = new URLSearchParams(location.search);
    this.code = query.get("room") ?? "";
    this.cursor = "";
    this.now = null; // what the server said last
    this.spotlight = new Spotlight(() => this.#draw());
    this.root = h("div", { class: "room", hidden: true });
    fill(element, this.root);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#again(0); });
    onPage("visible", () => this.#limits());
    this.#ask();
  }

  // ---- asking -------------------------------------------------------------------------------------

  #again(after = EVERY_MS) {
    clearTimeout(this.timer);
    if (document.hidden) return; // it catches up when the page is seen again
    this.timer = setTimeout(() => this.#ask(), after);
  }

  async #ask() {
    if (this.asking) return;
    this.asking = true;
    let wait = EVERY_MS;
    try {
      const query = new URLSearchParams({ after: this.cursor, tab: visibleTab() });
      if (!this.now?.member && this.code) query.set("code", this.code);
      this.#take(await api(`room/state?${query}`));
    } catch (error) {
      wait = SLOW_MS;
      if (error.status === 403 || error.status === 429) this.#refused(error.sentence);
    } finally {
      this.asking = false;
      this.#again(wait);
    }
  }

  #refused(sentence) {
    this.code = ""; // it was wrong: do not try it again
    this.problem = sentence;
    this.#take({ cursor: "", member: null, removed: false });
  }

  #take(answer) {
    if (!("member" in answer)) return this.#limits(); // nothing new
    const before = this.now;
    this.now = answer;
    this.cursor = answer.cursor;
    if (!answer.member) {
      if (before?.member) this.#left(answer);
      if (!before || before.member || this.problem || before.room !== answer.room) this.#draw();
      return;
    }
    this.problem = null;
    this.#tell(before, answer);
    const hidden = JSON.stringify([answer.hide, answer.only]);
    if (this.hidden !== hidden) {
      this.hidden = hidden;
      applyHidden(answer.hide, { by: "room", only: answer.only });
    }
    this.spotlight.follow(answer.spotlight);
    if (answer.push) takePush(answer.push, answer.code);
    this.#draw();
  }

  /** Say aloud what changed and stands in the bar. */
  #tell(before, now) {
    if (before?.member && before.frozen !== now.frozen) announce(t(now.frozen ? "room.said_frozen" : "room.said_thawed"));
    if (before?.member?.hand && !now.member.hand && !this.lowering) notify(t("room.hand_seen"));
    this.lowering = false;
  }

  #left(answer) {
    this.hidden = null;
    applyHidden([], { by: "room" });
    this.spotlight.follow(null);
    if (answer.removed) notify(t("room.removed"), { stay: true });
  }

  // ---- the bar ------------------------------------------------------------------------------------

  #draw() {
    show(this.root, true);
    document.body.classList.toggle("room-frozen", Boolean(this.now?.member && this.now.frozen));
    if (this.now?.member) this.#drawMember();
    else this.#drawOutside();
    this.#limits();
  }

  #drawOutside() {
    this.parts = null;
    const form = joinForm({
      room: this.now?.room, code: this.now?.room ? this.code : "", problem: this.problem,
      joined: (answer) => { this.#take(answer); notify(t("room.welcome", { name: answer.member.nickname })); },
    });
    fill(this.root, form);
  }

  #drawMember() {
    this.parts ??= this.#build();
    const { name, who, hand, frozen, shown, tries } = this.parts;
    const { now } = this;
    setText(name, now.room);
    setText(who, now.member.nickname);
    setText(hand.lastChild, t(now.member.hand ? "room.hand_lower" : "room.hand_raise"));
    hand.setAttribute("aria-pressed", String(now.member.hand));
    show(frozen, now.frozen);
    const { spotlight } = this;
    show(shown, Boolean(now.spotlight) && !spotlight.open);
    if (now.spotlight) setText(shown.firstChild, t("room.shows", { name: now.spotlight.nickname }));
    const sentences = now.tries.join("\n");
    if (tries.dataset.text !== sentences) {
      tries.dataset.text = sentences;
      fill(tries, h("strong", {}, t("room.try")), h("ul", {}, now.tries.map((text) => h("li", {}, text))));
    }
    show(tries, now.tries.length > 0);
  }

  #build() {
    const parts = {
      name: h("strong", { class: "room-name" }),
      who: h("span", { class: "room-who" }),
      hand: button([handIcon(), h("span")], () => this.#hand(), { kind: "small room-hand", id: "room-hand" }),
      frozen: h("span", { class: "room-notice", role: "status", hidden: true }, frozenIcon(), t("room.frozen")),
      shown: h("span", { class: "room-notice", hidden: true }, h("span"), button(t("room.show_again"), () => this.spotlight.show(), { kind: "small" })),
      tries: h("div", { class: "room-tries", role: "note", hidden: true }),
    };
    fill(this.root, h("section", { class: "room-bar", "aria-label": t("room.bar") },
      h("span", { class: "room-dot", "aria-hidden": "true" }), parts.name, parts.who, parts.frozen, parts.shown, h("span", { class: "room-space" }), parts.hand), parts.tries);
    return parts;
  }

  async #hand() {
    try {
      this.lowering = this.now.member.hand;
      this.#take(await api("room/hand", { body: { up: !this.now.member.hand } }));
      announce(t(this.now.member.hand ? "room.said_hand_up" : "room.said_hand_down"));
    } catch (error) {
      notify(error.sentence ?? String(error), { error: true });
    }
  }

  /** The teacher's limits in one sentence beside Train, on the tab that is seen. */
  #limits() {
    const place = document.querySelector(`#play-${visibleTab()}-panel-transport .play-transport`);
    if (!place) return;
    let note = place.querySelector(".room-limits");
    const text = (this.now?.member ? this.now.limits : this.now && !this.now.member ? t("room.join_first") : "") ?? "";
    if (!note && text) note = place.appendChild(h("p", { class: "play-note room-limits", role: "note" }));
    if (note) setText(note, text);
  }
}

/** Mount the bar. @param {HTMLElement} element */
export async function mount(element) {
  await Promise.all([ready, ensureStyles("room.css")]);
  new RoomBar(element);
}
