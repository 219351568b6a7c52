/** Coarse time buckets: enough that each is sorted inside the processor's cache at 20 million events. */
const BUCKETS = 1 << 15;

/**
 * Positions of `timestamps` in stable time order: earlier first, ties as they stand. Null when they already are.
 *
 * A counting sort into coarse time buckets, then an exact sort inside each. There an event is the number
 * (time since the bucket's start)·count + place, so equal times keep their places and the native sort of
 * numbers does the work without a comparison function.
 *
 * @param timestamps (events) whole epoch milliseconds
 * @throws RangeError when a bucket holds more times and events than a double can tell apart
 */
export function timeOrder(timestamps: Float64Array): Uint32Array | null {
  let earliest = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  let ordered = true;
  for (let event = 0; event < timestamps.length; event++) {
    const time = timestamps[event];
    if (time < latest) ordered = false;
    else latest = time;
    if (time < earliest) earliest = time;
  }
  if (ordered) return null;

  const widthMs = Math.floor((latest - earliest) / BUCKETS) + 1;
  const starts = new Uint32Array(BUCKETS + 1);
  const bucketOf = (event: number): number => Math.floor((timestamps[event] - earliest) / widthMs);
  for (let event = 0; event < timestamps.length; event++) starts[bucketOf(event) + 1]++;
  for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1] += starts[bucket];
  const order = new Uint32Array(timestamps.length);
  const next = starts.slice(0, -1);
  for (let event = 0; event < timestamps.length; event++) order[next[bucketOf(event)]++] = event;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const events = order.subarray(starts[bucket], starts[bucket + 1]);
    if (events.length > 1) sortBucket(events, timestamps, earliest + bucket * widthMs, widthMs);
  }
  return order;
}

function sortBucket(events: Uint32Array, timestamps: Float64Array, start: number, widthMs: number): void {
  const count = events.length;
  if (widthMs * count > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(
      `time order: expected times within a few thousand years, got ${count} events in ${widthMs} ms; remove the outlying times`,
    );
  }
  const keys = new Float64Array(count);
  for (let place = 0; place < count; place++) {
    keys[place] = (timestamps[events[place]] - start) * count + place;
  }
  keys.sort();
  const before = events.slice();
  for (let slot = 0; slot < count; slot++) events[slot] = before[keys[slot] % count];
}
