/** Distinct items shown / items of the catalogue. `shown` (items): how often each item was shown. */
export function coverage(shown: ArrayLike<number>): number {
  let distinct = 0;
  for (let item = 0; item < shown.length; item++) if (shown[item] > 0) distinct++;
  return shown.length === 0 ? 0 : distinct / shown.length;
}

/**
 * Gini coefficient of exposure, 0 (every item shown equally often) … towards 1 (one item takes all):
 * G = Σ_i (2i − n − 1)·x_(i) / (n·Σx), x ascending, i from 1, over the whole catalogue, unseen items included.
 * Source: Fleder & Hosanagar, Management Science 55(5), 2009.
 */
export function gini(shown: ArrayLike<number>): number {
  const ascending = Float64Array.from(shown).sort();
  const count = ascending.length;
  let total = 0;
  let weighted = 0;
  for (let place = 0; place < count; place++) {
    total += ascending[place];
    weighted += (2 * (place + 1) - count - 1) * ascending[place];
  }
  return total === 0 ? 0 : weighted / (count * total);
}
