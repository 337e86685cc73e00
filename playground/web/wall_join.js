// How students find the room: link, code and QR code, small beside the wall or large for a beamer.

import { button, fill, h, setText, show } from "./dom.js";
import { copyText } from "./page_copy.js";
import { t } from "./page_server.js";
import { dialog, say } from "./wall_dialog.js";
import { ask } from "./wall_server.js";

const HERE = ["localhost", "127.0.0.1", "[::1]"];

/** The address under which others reach this page: the server's own when this one is the local. */
function origin(room) {
  const root = location.pathname.slice(0, location.pathname.indexOf("/gradio_api/"));
  return HERE.includes(location.hostname) && room.address ? room.address : location.origin + root;
}

const spaced = (code) => `${code.slice(0, 3)} ${code.slice(3)}`;

/** The card; `tell(room)` brings it up to date. */
export function joinCard() {
  const image = h("img", { alt: t("room.wall_qr"), width: "112", height: "112" });
  const code = h("strong", { class: "wall-code" });
  const link = h("a", { target: "_blank", rel: "noopener" });
  const large = button(t("room.wall_join_large"), () => openLarge(), { kind: "small", id: "wall-join-large" });
  const copy = button(t("room.wall_copy"), async () => { if (await copyText(link.href)) say(t("room.wall_copied")); }, { kind: "small quiet" });
  const element = h("section", { class: "wall-join play-card", "aria-label": t("room.wall_join") },
    h("div", { class: "wall-qr" }, image),
    h("div", { class: "wall-join-text" }, h("span", { class: "play-note" }, t("room.wall_join")), link, code, h("div", { class: "play-row" }, large, copy)));
  let shown = "";

  function openLarge() {
    dialog(t("room.wall_join"), h("div", { class: "wall-join-large" },
      h("div", { class: "wall-qr" }, h("img", { src: image.src, alt: t("room.wall_qr") })),
      h("p", { class: "wall-large-link" }, link.textContent), h("p", { class: "wall-code" }, code.textContent))).classList.add("large");
  }

  async function tell(room) {
    const at = origin(room);
    const key = `${at} ${room.code}`;
    if (key === shown) return;
    shown = key;
    link.href = `${at}/?room=${room.code}`;
    fill(link, link.href.replace(/^https?:\/\//, ""));
    setText(code, spaced(room.code));
    show(image, false);
    try {
      const drawn = await (await ask(`room/qr?origin=${encodeURIComponent(at)}`)).blob();
      image.src = URL.createObjectURL(drawn);
      show(image, true);
    } catch (error) {
      console.warn("The QR code could not be drawn", error.message);
    }
  }

  return { element, tell };
}
