// Joining a room: a code, if the link had none, and a nickname.

import { button, h, setText, show } from "./dom.js";
import { api, remember, remembered, t } from "./page_server.js";

const NICKNAME = "play-nickname";
const LETTERS = 24;

/**
 * The card with which a visitor joins.
 * @param {{room: ?string, code: string, problem: ?string, joined: (answer: object) => void}} options
 */
export function joinForm({ room, code, problem, joined }) {
  const field = (name, props) => h("label", { class: "room-field" }, h("span", {}, t(`room.${name}`)), props.input);
  const codeInput = h("input", {
    type: "text", id: "room-code", maxlength: "9", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", value: code, class: "room-code-input", required: true,
  });
  const nameInput = h("input", {
    type: "text", id: "room-nickname", maxlength: String(LETTERS), autocomplete: "off", spellcheck: "false", value: remembered(NICKNAME) ?? "", required: true,
  });
  const error = h("p", { class: "play-error", role: "alert" }, problem ?? "");
  const go = button(t("room.join"), null, { kind: "primary", id: "room-join" });
  go.type = "submit";

  async function send(event) {
    event.preventDefault();
    if (go.disabled) return;
    go.disabled = true;
    setText(error, "");
    try {
      const answer = await api("room/join", { body: { code: codeInput.value, nickname: nameInput.value } });
      remember(NICKNAME, nameInput.value.trim());
      joined(answer);
    } catch (refused) {
      setText(error, refused.sentence ?? String(refused));
      (refused.field === "nickname" ? nameInput : codeInput).focus();
      show(codeField, true);
    } finally {
      go.disabled = false;
    }
  }

  const codeField = field("code", { input: codeInput });
  show(codeField, !code);
  return h("form", { class: "room-join play-card", "aria-label": t("room.join_title"), onsubmit: send, onkeydown: (event) => event.stopPropagation() },
    h("div", { class: "room-join-text" },
      h("strong", {}, room ? t("room.join_named", { name: room }) : t("room.join_title")), h("span", { class: "play-note" }, t("room.join_note"))),
    h("div", { class: "room-join-fields" }, codeField, field("nickname", { input: nameInput }), go), error);
}
