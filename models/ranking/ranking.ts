/** Index of the first score that is NaN or infinite, or −1. */
export function firstNonFinite(scores: Float32Array): number {
  // x·0 is 0 for every finite x and NaN otherwise: four running sums tell "all finite" without a branch a score.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = scores.length - (scores.length % 4);
  for (let index = 0; index < whole; index += 4) {
    a += scores[index] * 0;
    b += scores[index + 1] * 0;
    c += scores[index + 2] * 0;
    d += scores[index + 3] * 0;
  }
  if (a + b + c + d === 0 && scores.subarray(whole).every(Number.isFinite)) return -1;
  return scores.findIndex((score) => !Number.isFinite(score));
}

/**
 * Indices of the k best scores: score descending, then index ascending (ties are frequent and must not depend
 * on the order of evaluation). Items that are not `allowed` stay out. Threshold heap, O(n + n·log k) at worst.
 */
export function topK(scores: Float32Array, k: number, allowed: (index: number) => boolean): Uint32Array {
  const heap: number[] = [];
  const worse = (a: number, b: number): boolean =>
    scores[a] < scores[b] || (scores[a] === scores[b] && a > b);
  const siftDown = (start: number): void => {
    let parent = start;
    const held = heap[parent];
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && worse(heap[child + 1], heap[child])) child++;
      if (!worse(heap[child], held)) break;
      heap[parent] = heap[child];
      parent = child;
    }
    heap[parent] = held;
  };
  let index = 0;
  for (; index < scores.length && heap.length < k; index++) if (allowed(index)) heap.push(index);
  if (heap.length === k && k > 0) {
    for (let node = (k >> 1) - 1; node >= 0; node--) siftDown(node);
    let bar = scores[heap[0]];
    for (; index < scores.length; index++) {
      // An equal score never wins: its index is higher than all in the heap.
      if (scores[index] > bar && allowed(index)) {
        heap[0] = index;
        siftDown(0);
        bar = scores[heap[0]];
      }
    }
  }
  return Uint32Array.from(heap).sort((a, b) => (worse(a, b) ? 1 : -1));
}
