// Signs of the room, drawn here: not every system has a font with them.

import { svg } from "./dom.js";

const icon = (...shapes) => svg("svg", { class: "room-icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, shapes.map((d) => svg("path", { d })));

/** A raised hand. */
export const handIcon = () => icon(
  "M7 13V6.5a1.5 1.5 0 0 1 3 0V11m0-1V4.5a1.5 1.5 0 0 1 3 0V11m0-1V5.5a1.5 1.5 0 0 1 3 0V12m0-3a1.5 1.5 0 0 1 3 0v5.5c0 4-2.5 6.5-6.5 6.5-3 0-4.5-1.2-6-3.5l-3-4.6c-.9-1.500.9-2.700 2-1.700L7 13",
);

/** Ice: everything stands still. */
export const frozenIcon = () => icon("M12 2v20M3.300 7l17.400 10M20.700 7L3.300 17M9.500 4l2.500 2.500L14.500 4M9.500 20l2.500-2.500 2.500 2.500M3.500 10.500l3.500-.9-.9-3.500M20.500 13.500l-3.500.9.9 3.500M20.500 10.500l-3.500-.9.9-3.500M3.500 13.500l3.500.9-.9 3.500");
