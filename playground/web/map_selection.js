// Which points lie inside a drawn outline.

/**
 * Indices of the shown points inside the polygon `us`, leaving out hidden classes.
 * @param {Array<[number, number]>} us
 * @param {import("./map_cloud.js").Cloud} cloud
 * @param {Set<number>} hidden
 * @returns {Set<number>}
 */
export function within(us, cloud, hidden) {
  const chosen = new Set();
  if (us.length < 3) return chosen;
  for (let i = 0; i < cloud.total; i += 1) {
    if (!cloud.known[i] || hidden.has(cloud.labels[i])) continue;
    if (inside(us, cloud.shown[2 * i], cloud.shown[2 * i + 1])) chosen.add(i);
  }
  return chosen;
}

/** Even-odd rule. */
function inside(us, x, y) {
  let odd = false;
  for (let i = 0, j = us.length - 1; i < us.length; j = i, i += 1) {
    const [xi, yi] = us[i];
    const [xj, yj] = us[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}
