// What this person brought to the server: pictures, texts, points, checkpoints; and to delete it.
import { button, h, show } from "./dom.js";
import * as store from "./store.js";

const { t } = store;
const MB = 1e6;

const size = (bytes) => (bytes >= MB ? `${(bytes / MB).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`);

function row(thing, again) {
  const facts = [size(thing.size), thing.in_use ? t("panel.brought_in_use") : ""].filter(Boolean).join(" · ");
  const remove = button(t("panel.delete"), () => askDelete(thing, again), { kind: "small quiet", title: t("panel.brought_delete", { title: thing.title }) });
  return h("li", {}, h("span", { class: "play-run-name" }, h("b", {}, thing.title || thing.name), h("small", {}, facts)), remove);
}

function askDelete(thing, again) {
  const sure = async () => {
    try {
      await store.api(`belongings/${thing.name.split("/").map(encodeURIComponent).join("/")}`, { method: "DELETE" });
      store.announce(t("panel.deleted"));
      await store.refreshCatalogue(); // the list is read again with it
    } catch (error) {
      store.notify(error.sentence ?? String(error), { error: true });
      again();
    }
  };
  store.notify(t("panel.brought_sure", { title: thing.title || thing.name }), { actions: [[t("panel.yes_delete"), sure]] });
}

/** Fill a list, and show its section while there is something in it. */
export function mountBrought(section, list) {
  const again = async () => {
    try {
      const { things } = await store.api("belongings");
      list.replaceChildren(...things.map((thing) => row(thing, again)));
      show(section, things.length > 0);
    } catch (error) {
      console.info("What was brought could not be listed", error);
    }
  };
  show(section, false);
  store.on("catalogue", again);
  store.on("visible", (now) => { if (now) again(); });
  if (store.state.visible) again();
}
