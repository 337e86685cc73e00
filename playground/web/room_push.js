// What the teacher sends: a preset or a saved model. It is applied as it comes, once, and can be
// undone with one click.

import { announce, notify, openTab, tabOf, visibleTab } from "./page.js";
import { readCatalogue, remember, remembered, t } from "./page_server.js";

const DONE = "play-room-push";
const TRIES = 100;
const TRY_MS = 100;

/** Apply a push that is new to this browser. @param {object} push @param {string} code the room's */
export function takePush(push, code) {
  const [room, number] = (remembered(DONE) ?? "").split(" ");
  if (room === code && Number(number) >= push.n) return;
  remember(DONE, `${code} ${push.n}`);
  apply(push).catch((error) => notify(error.sentence ?? String(error), { error: true }));
}

async function apply(push) {
  const tab = tabOf(push.model);
  if (!tab) return;
  const from = visibleTab();
  if (from !== tab) openTab(tab);
  const store = await storeOf(tab);
  const undo = push.preset ? await preset(store, push) : checkpoint(store, push);
  const back = () => {
    undo();
    if (from !== tab) openTab(from);
    announce(t("room.undone"));
  };
  const sentence = t(push.preset ? "room.pushed_preset" : "room.pushed_checkpoint", { title: push.title });
  notify(sentence, { actions: [[t("room.undo"), back]] });
  announce(sentence);
}

async function preset(store, push) {
  const before = store.settings();
  const catalogue = await readCatalogue(() => null);
  const model = catalogue.models.find((m) => m.key === push.model);
  const found = model?.presets.find((p) => p.key === push.preset);
  if (!found) throw new Error(t("room.no_preset"));
  const plain = Object.fromEntries(model.schema.map((f) => [f.name, f.default]));
  store.applySettings({
    preset: found.key, model: found.model, dataset: found.dataset, max_steps: found.max_steps, config: { ...plain, ...found.config },
  });
  return () => store.applySettings(before);
}

function checkpoint(store, push) {
  const before = store.state.source;
  store.useCheckpoint(push.checkpoint);
  return () => {
    if (before?.checkpoint) store.useCheckpoint(before.checkpoint);
    else if (before?.run) store.attach(before.run);
  };
}

/** The store of a tab, once its controls can be written; one that was never seen is loaded now. */
function storeOf(tab) {
  const there = () => window.Play.tabs[tab] && document.querySelector(`#play-${tab}-panel-transport .play-mount[data-ready]`);
  return new Promise((resolve, reject) => {
    let left = TRIES;
    const look = () => {
      if (there()) resolve(window.Play.tabs[tab].ready.then(() => window.Play.tabs[tab]));
      else if ((left -= 1) > 0) setTimeout(look, TRY_MS);
      else reject(new Error(t("room.push_late")));
    };
    look();
  });
}
