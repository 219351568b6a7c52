import type { Random } from "./random.ts";
import type { SyntheticItems } from "./synthetic-catalogue.ts";

/** Pieces of the whole period with fixed popularity. */
const PERIODS = 48;
/** An item's pull fades to this share of its first … */
const LASTING_PULL = 0.1;
/** … with this time constant, as a share of the whole period. */
const FADING_TIME = 0.06;

/** Popularity by genre and period, as cumulative weights to draw items from. */
export class TrendTables {
  /** Items of a genre, one after another. */
  readonly #members: Uint32Array;
  /** (genres + 1) */
  readonly #genreStarts: Uint32Array;
  /** (periods × items) running sums inside each genre, in the order of #members. */
  readonly #cumulative: Float32Array[];

  constructor(items: SyntheticItems, genres: number) {
    const count = items.cluster.length;
    this.#genreStarts = new Uint32Array(genres + 1);
    for (const genre of items.cluster) this.#genreStarts[genre + 1]++;
    for (let genre = 0; genre < genres; genre++) this.#genreStarts[genre + 1] += this.#genreStarts[genre];
    this.#members = new Uint32Array(count);
    const next = this.#genreStarts.slice(0, -1);
    for (let item = 0; item < count; item++) this.#members[next[items.cluster[item]]++] = item;
    this.#cumulative = Array.from({ length: PERIODS }, (_, period) => this.#sums(items, period, genres));
  }

  #sums(items: SyntheticItems, period: number, genres: number): Float32Array {
    const sums = new Float32Array(this.#members.length);
    const now = period / PERIODS;
    for (let genre = 0; genre < genres; genre++) {
      let sum = 0;
      for (let place = this.#genreStarts[genre]; place < this.#genreStarts[genre + 1]; place++) {
        const item = this.#members[place];
        const age = now - items.release[item];
        if (age >= 0) sum += items.appeal[item] * (LASTING_PULL + Math.exp(-age / FADING_TIME));
        sums[place] = sum;
      }
    }
    return sums;
  }

  /** An item of the genre by its popularity at `share` of the whole period; -1 when the genre has none yet. */
  draw(genre: number, share: number, random: Random): number {
    const sums = this.#cumulative[Math.min(PERIODS - 1, Math.floor(share * PERIODS))];
    let low = this.#genreStarts[genre];
    let high = this.#genreStarts[genre + 1] - 1;
    if (high < low || sums[high] === 0) return -1;
    const target = random.next() * sums[high];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > target) high = middle;
      else low = middle + 1;
    }
    return this.#members[low];
  }
}
