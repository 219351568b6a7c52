import { seededRandom } from "../../models/data/random.ts";
import { type SparseRows, transposed } from "../../models/data/sparse-rows.ts";

export interface BenchData {
  readonly users: SparseRows;
  readonly items: SparseRows;
}

/**
 * Interactions of roughly MovieLens' shape: log-normal activity (at least 20 a user), Zipf-like popularity, each
 * item once a user. `interactions` is aimed at; the exact number is users.columns.length.
 */
export function syntheticRows(users: number, items: number, interactions: number, seed = 7): BenchData {
  const random = seededRandom(seed);
  const activity = Float64Array.from({ length: users }, () => Math.exp(1.05 * random.normal()));
  const total = activity.reduce((sum, value) => sum + value, 0);
  const starts = new Uint32Array(users + 1);
  for (let user = 0; user < users; user++) {
    const wanted = Math.round((activity[user] / total) * interactions);
    starts[user + 1] =
      starts[user] + Math.max(Math.min(20, items), Math.min(Math.floor(items * 0.6), wanted));
  }
  const draw = aliasSampler(
    Float64Array.from({ length: items }, (_, item) => (item + 5) ** -0.75),
    random,
  );
  const columns = new Uint32Array(starts[users]);
  const seenBy = new Int32Array(items).fill(-1);
  for (let user = 0; user < users; user++) {
    for (let slot = starts[user]; slot < starts[user + 1]; ) {
      const item = draw();
      if (seenBy[item] === user) continue;
      seenBy[item] = user;
      columns[slot++] = item;
    }
  }
  const byUser: SparseRows = { rows: users, others: items, starts, columns, weights: null };
  return { users: byUser, items: transposed(byUser) };
}

/** Draws index i with probability weights[i] / Σ weights in constant time (Walker 1977). */
function aliasSampler(weights: Float64Array, random: { next(): number }): () => number {
  const n = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = weights.map((weight) => (weight * n) / total);
  const alias = new Uint32Array(n);
  const small: number[] = [];
  const large: number[] = [];
  share.forEach((value, index) => {
    (value < 1 ? small : large).push(index);
  });
  for (let low = small.pop(), high = large.pop(); low !== undefined && high !== undefined; ) {
    alias[low] = high;
    share[high] -= 1 - share[low];
    if (share[high] < 1) {
      low = high;
      high = large.pop();
    } else {
      low = small.pop();
    }
  }
  return () => {
    const point = random.next() * n;
    const index = Math.floor(point);
    return point - index < share[index] ? index : alias[index];
  };
}
