// The explorer of a latent space: map and decoding grid, and under them the panels.

import { ensureStyles, h } from "./explorer_dom.js";
import { PointDecoder } from "./explorer_decode.js";
import { follow } from "./explorer_live.js";
import { Space } from "./explorer_space.js";
import { Tabs } from "./explorer_tabs.js";
import { LatentMap } from "./map.js";
import { Atlas } from "./map_atlas.js";
import { DimensionsView } from "./views_dimensions.js";
import { DrawView } from "./views_draw.js";
import { GridView } from "./views_grid.js";
import { PointCard, PointView } from "./views_point.js";
import { ReconstructionsView } from "./views_reconstructions.js";
import { SampleView } from "./views_sample.js";
import { WalkView } from "./views_walk.js";
import { ready, t } from "./store.js";
import { loadPlotly } from "./theme.js";

/**
 * Mount the explorer.
 * @param {HTMLElement} element
 * @returns {Promise<{space: Space, unmount: () => void}>}
 */
export async function mount(element) {
  loadPlotly().catch(() => {}); // begins now, is waited for in map.start, which says what failed
  await Promise.all([ready, ensureStyles("explorer.css")]);
  const root = h("div", { class: "x-explorer" });
  const space = new Space();
  const atlas = new Atlas(space);
  const map = new LatentMap(space, atlas);
  const grid = new GridView(space, () => map);
  const decoder = new PointDecoder(space, atlas, root);
  const reconstructions = new ReconstructionsView(space);
  const { tabs, addStop } = makeTabs(space, { map, decoder, reconstructions });
  const card = new PointCard(space, { decoder, addStop });
  map.onframe = (extent) => grid.setFrame(extent);
  root.append(h("div", { class: "x-above" }, map.element, card.element, grid.element), tabs.element);
  element.replaceChildren(root);
  const stop = follow(space, { atlas, grid, reconstructions });
  await map.start();
  return { space, unmount: () => { stop.forEach((off) => off()); root.remove(); } };
}

function makeTabs(space, { map, decoder, reconstructions }) {
  const choose = (key) => tabs.choose(key);
  const walk = new WalkView(space, { map });
  map.onaddstop = (u) => {
    const z = space.lift(u);
    if (!z) return;
    choose("walk");
    walk.addPoint({ z, u });
  };
  const addStop = () => { choose("walk"); walk.addPoint(); };
  const panels = {
    point: new PointView(space, { map, decoder }),
    walk,
    draw: new DrawView(space, { map, walk, choose }),
    reconstructions,
    dimensions: new DimensionsView(space),
    sample: new SampleView(space, { map }),
  };
  const items = Object.entries(panels).map(([key, panel]) => ({ key, panel, title: t(`explorer.tab_${key}`) }));
  const tabs = new Tabs(t("explorer.tabs"), items);
  return { tabs, addStop };
}
