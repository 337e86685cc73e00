// What a head of attention mostly does, as far as its weights on this text tell.

/** From which share of its attention on a habit is worth a name; from experience. */
const LEAST = { previous: 0.3, self: 0.35, first: 0.35, same: 0.2, induction: 0.2, ahead: 0.3 };

/**
 * The clearest habit of a head.
 * @param {Object<string, number>} shares of its attention, by habit
 * @returns {{key: string|null, share: number}}
 */
export function habitOf(shares) {
  const found = Object.keys(LEAST).filter((key) => shares[key] >= LEAST[key]).sort((a, b) => shares[b] / LEAST[b] - shares[a] / LEAST[a]);
  return found.length ? { key: found[0], share: shares[found[0]] } : { key: null, share: 0 };
}

/** The share of a map (T, T) that lies on tokens which a causal model must not see. */
export function ahead(map, length) {
  let [hidden, all] = [0, 0];
  map.forEach((weight, i) => {
    all += weight;
    if (i % length > Math.floor(i / length)) hidden += weight;
  });
  return hidden / (all || 1);
}

/** The mean over maps of `size` weights. */
export function mean(maps, size) {
  const sum = new Float32Array(size);
  for (let i = 0; i < maps.length; i += 1) sum[i % size] += maps[i];
  const count = maps.length / size;
  return Uint8Array.from(sum, (value) => Math.round(value / count));
}
