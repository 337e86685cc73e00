// The explorer of a translator between two domains: the stage, where pictures cross over and come
// back, and under it the panels about how it does so.

import { choice, ensureStyles, h, setText } from "./explorer_dom.js";
import { Tabs } from "./explorer_tabs.js";
import { buildBeside } from "./crossing_beside.js";
import { buildHidden } from "./crossing_hidden.js";
import { follow } from "./crossing_live.js";
import { buildLosses } from "./crossing_losses.js";
import { buildNetwork } from "./crossing_network.js";
import { buildPairs } from "./crossing_pairs.js";
import { Pick } from "./crossing_pick.js";
import { buildPool } from "./crossing_pool.js";
import { Crossing, DIRECTIONS } from "./crossing_state.js";
import { Theatre } from "./crossing_theatre.js";
import { Tools } from "./crossing_tools.js";
import { emit, on, ready, state, t } from "./store.js";

const PANELS = { losses: buildLosses, pairs: buildPairs, beside: buildBeside, hidden: buildHidden, pool: buildPool, network: buildNetwork };

/**
 * Mount the explorer.
 * @param {HTMLElement} element
 * @returns {Promise<{lab: Crossing, unmount: () => void}>}
 */
export async function mount(element) {
  await Promise.all([ready, ensureStyles("explorer.css")]);
  const root = h("div", { class: "x-explorer cx-lab" });
  const lab = new Crossing();
  const theatre = new Theatre(lab);
  const pick = new Pick(lab, { root, input: () => theatre.input(), onown: (way) => theatre.besides(way) });
  theatre.element.prepend(pick.own);
  theatre.tools.append(new Tools(lab, theatre).element);
  const panels = Object.entries(PANELS).map(([key, build]) => ({ key, panel: build(lab), title: t(`crossing.tab_${key}`) }));
  const tabs = new Tabs(t("crossing.tabs"), panels);
  root.append(h("section", { class: "play-card cx-stage", "aria-label": t("crossing.stage") }, head(lab), pick.element, theatre.element), tabs.element);
  element.replaceChildren(root);
  const rest = (visible) => tabs.items.find(({ key }) => key === tabs.chosen).panel.shown?.(visible);
  const stop = [...follow(lab), on("visible", rest)];
  return { lab, unmount: () => { stop.forEach((off) => off()); root.remove(); } };
}

/** The title, the direction, and of when the weights are. */
function head(lab) {
  const turned = (direction) => { lab.turn(direction); emit("tried", { what: "direction", direction }); };
  const way = choice({ label: t("crossing.direction"), options: DIRECTIONS.map((key) => [key, key]), value: lab.direction, onchange: turned });
  way.element.classList.add("cx-directions");
  const badge = h("span", { class: "cx-state" });
  const write = () => {
    const [a, b] = lab.domains;
    [`${a} → ${b}`, `${b} → ${a}`].forEach((text, i) => setText(way.element.children[i], text));
    way.set(lab.direction);
    const step = (lab.past?.step ?? lab.step ?? state.run?.step ?? 0).toLocaleString("en");
    const kind = lab.past ? "past" : lab.live ? "live" : "";
    badge.className = `cx-state ${kind}`;
    setText(badge, kind ? t(`crossing.${kind}_step`, { step }) : "");
  };
  for (const type of ["space", "chosen", "answer", "status", "sheet", "past"]) lab.on(type, write);
  write();
  return h("div", { class: "x-head" }, h("h3", { class: "play-title" }, t("crossing.title")), way.element, h("i", { class: "cx-spacer" }), badge);
}
