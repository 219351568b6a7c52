import { siftDown, siftUp, worse } from "./score";

/**
 * Bytes of scratch a thread needs: per item a sum with its count beside it (one cache line an update), a similarity and
 * a place in the list of touched items (and one more).
 */
export function neighbourScratchBytes(items: usize): usize {
  return items * 16 + 4;
}

/**
 * The k nearest of items from … to−1, one row of the sparse product WᵀW at a time, never a dense matrix.
 *   sim(i, j) = Σ_u w_ui·w_uj · n/(n + shrinkage)          n = users who have both
 * Columns of W come normalised, so the sum is a cosine. Neighbours are written best first (similarity
 * descending, then index ascending); `counts` receives how many each item has (at most k, all with sim > 0).
 *
 * The sums in `scratch` must be zero, as fresh memory is, and are left so.
 * itemStarts/itemUsers/itemWeights: W by item; userStarts/userItems/userWeights: W by user.
 */
export function nearestNeighbours(
  from: usize,
  to: usize,
  scratch: usize,
  itemStarts: usize,
  itemUsers: usize,
  itemWeights: usize,
  userStarts: usize,
  userItems: usize,
  userWeights: usize,
  items: usize,
  k: usize,
  shrinkage: f32,
  neighbours: usize,
  similarities: usize,
  counts: usize,
): void {
  const sums = scratch;
  const sims = sums + (items << 3);
  const touched = sims + (items << 2);
  for (let item = from; item < to; item++) {
    let reached: usize = 0;
    const lastUser: usize = load<u32>(itemStarts + (item << 2), 4);
    for (let p: usize = load<u32>(itemStarts + (item << 2)); p < lastUser; p++) {
      const user: usize = load<u32>(itemUsers + (p << 2));
      const weight = load<f32>(itemWeights + (p << 2));
      const lastItem: usize = load<u32>(userStarts + (user << 2), 4);
      for (let q: usize = load<u32>(userStarts + (user << 2)); q < lastItem; q++) {
        const other: usize = load<u32>(userItems + (q << 2));
        const sum = sums + (other << 3);
        const count = load<u32>(sum, 4);
        // Written even when it will not be kept: a branch here would be mispredicted.
        store<u32>(touched + (reached << 2), <u32>other);
        reached += <usize>(count == 0);
        store<u32>(sum, count + 1, 4);
        store<f32>(sum, load<f32>(sum) + weight * load<f32>(userWeights + (q << 2)));
      }
    }
    const heap = neighbours + item * (k << 2);
    let held: usize = 0;
    for (let t: usize = 0; t < reached; t++) {
      const other = load<u32>(touched + (t << 2));
      const sum = sums + (<usize>other << 3);
      const n = <f32>load<u32>(sum, 4);
      const sim = (load<f32>(sum) * n) / (n + shrinkage);
      store<f32>(sims + (<usize>other << 2), sim);
      store<u64>(sum, 0);
      if (<usize>other == item || !(sim > 0)) continue;
      if (held < k) {
        siftUp(heap, sims, held++, other);
      } else if (worse(sims, load<u32>(heap), other)) {
        store<u32>(heap, other);
        siftDown(heap, sims, 0, held);
      }
    }
    for (let size = held; size > 1; ) {
      size--;
      const worst = load<u32>(heap);
      store<u32>(heap, load<u32>(heap + (size << 2)));
      store<u32>(heap + (size << 2), worst);
      siftDown(heap, sims, 0, size);
    }
    for (let place: usize = 0; place < held; place++) {
      const other: usize = load<u32>(heap + (place << 2));
      store<f32>(similarities + ((item * k + place) << 2), load<f32>(sims + (other << 2)));
    }
    store<u32>(counts + (item << 2), <u32>held);
  }
}
