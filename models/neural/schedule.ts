const WARM_UP = 0.08;
const LAST = 0.05;

/**
 * Share of the learning rate at `progress` (0 … 1) of a training: a linear rise over the first 8 %, then half a cosine
 * down to 5 %. Few epochs at a large rate that ends small reach what many at a small constant one do.
 * Source: Loshchilov & Hutter 2017, arXiv 1608.03983; warm-up after Goyal et al. 2017, arXiv 1706.02677.
 */
export function learningRateShare(progress: number): number {
  if (progress < WARM_UP) return Math.max(LAST, progress / WARM_UP);
  const decay = Math.min(1, (progress - WARM_UP) / (1 - WARM_UP));
  return LAST + ((1 - LAST) * (1 + Math.cos(Math.PI * decay))) / 2;
}
