import type { Random } from "../data/random.ts";

export interface Negatives {
  readonly items: Int32Array;
  /** (items) log of how many items of the catalogue each stands for: log 1/(count·q), 0 when all are there. */
  readonly multiplicities: Float32Array;
}

/** Draws the items that the positions of one batch are contrasted with. */
export interface NegativeSampler {
  draw(random: Random): Negatives;
}

/**
 * Items drawn independently with q ∝ e^π, the popularity prior: those that hold most of the softmax's mass are most
 * often there, which estimates it with far less variance than uniform draws. With every item asked for, all are
 * given once and the softmax is exact.
 * Source: the log-Q correction of Bengio & Senécal 2008, also Yi et al. 2019, section 3.
 */
export function negativeSampler(prior: Float32Array, count: number): NegativeSampler {
  if (count >= prior.length) {
    const items = Int32Array.from(prior, (_, item) => item);
    return { draw: () => ({ items, multiplicities: new Float32Array(items.length) }) };
  }
  const cumulative = new Float64Array(prior.length);
  let total = 0;
  for (const [item, logit] of prior.entries()) {
    total += Math.exp(logit);
    cumulative[item] = total;
  }
  const logTotal = Math.log(total / count);
  return {
    draw: (random) => {
      const items = Int32Array.from({ length: count }, () => firstAbove(cumulative, random.next() * total));
      return { items, multiplicities: Float32Array.from(items, (item) => logTotal - prior[item]) };
    },
  };
}

/** The first index whose value exceeds `value`. */
function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
