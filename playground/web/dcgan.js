// The explorer of a generator of pictures: its samples, one of them large, and under them the
// mode-collapse monitor and what can be done with samples.

import { ensureStyles, h } from "./explorer_dom.js";
import { Tabs } from "./explorer_tabs.js";
import { ArithmeticView } from "./dcgan_arithmetic.js";
import { SampleGrid } from "./dcgan_grid.js";
import { follow } from "./dcgan_live.js";
import { Monitor } from "./dcgan_monitor.js";
import { NearView } from "./dcgan_near.js";
import { NetworkView } from "./dcgan_network.js";
import { PairView } from "./dcgan_pair.js";
import { SampleCard } from "./dcgan_sample.js";
import { Sampler } from "./dcgan_sampler.js";
import { WalkView } from "./dcgan_walk.js";
import { Game } from "./game.js";
import { on, ready, t } from "./store.js";

/**
 * Mount the explorer.
 * @param {HTMLElement} element
 * @returns {Promise<{sampler: Sampler, unmount: () => void}>}
 */
export async function mount(element) {
  await Promise.all([ready, ensureStyles("explorer.css")]);
  const root = h("div", { class: "x-explorer dc-lab" });
  const sampler = new Sampler();
  const open = (key) => { tabs.choose(key); tabs.element.scrollIntoView({ block: "nearest" }); };
  const monitor = new Monitor(sampler, { open: () => open("monitor") });
  const grid = new SampleGrid(sampler, { badge: monitor.badge, ondrop: (target, sample) => drop(target.dataset.drop, sample) });
  const panels = {};
  const card = new SampleCard(sampler, {
    grid, like: () => open("near"), addStop: (sample) => { open("walk"); panels.walk.add(sample); },
  });
  Object.assign(panels, {
    monitor,
    near: new NearView(sampler, { card }),
    walk: new WalkView(sampler, { grid }),
    arithmetic: new ArithmeticView(sampler, { grid }),
    network: new NetworkView(sampler),
    game: new Game(sampler),
  });
  const drop = (place, sample) => (place === "walk" ? panels.walk.add(sample) : panels.arithmetic.add(place, sample));
  const pair = new PairView(sampler);
  const tabs = new Tabs(t("dcgan.tabs"), Object.entries(panels).map(([key, panel]) => ({ key, panel, title: t(`dcgan.tab_${key}`) })));
  root.append(h("div", { class: "dc-above" }, grid.element, card.element), pair.element, tabs.element);
  element.replaceChildren(root);
  const rest = (visible) => panels[tabs.chosen].shown(visible); // nothing moves in a tab that is hidden
  const stop = [...follow(sampler, monitor), on("run", watchTheStart()), on("visible", rest)];
  return { sampler, unmount: () => { stop.forEach((off) => off()); root.remove(); } };

  /** A run that has just begun is watched by the monitor, unless something is being played. */
  function watchTheStart() {
    let known = null;
    return (run) => {
      if (!run || run.id === known) return;
      known = run.id;
      if (run.state === "queued" || run.state === "starting") tabs.choose("monitor");
    };
  }
}
