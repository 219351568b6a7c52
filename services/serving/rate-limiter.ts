interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Token buckets in the memory of one replica: each name may ask `perMinute` times at once, and again as fast as that
 * refills. Bounded: the bucket that was made first goes first. Never throws.
 */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();
  readonly #maxBuckets: number;

  constructor(maxBuckets = 50_000) {
    this.#maxBuckets = maxBuckets;
  }

  /** Takes one: 0, or the seconds after which the name may ask again. */
  take(name: string, perMinute: number, nowMs: number): number {
    const bucket = this.#bucketOf(name, perMinute, nowMs);
    const perMs = perMinute / 60_000;
    const elapsedMs = Math.max(0, nowMs - bucket.at);
    bucket.tokens = Math.min(perMinute, bucket.tokens + elapsedMs * perMs);
    bucket.at = nowMs;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perMs / 1000);
    bucket.tokens--;
    return 0;
  }

  #bucketOf(name: string, perMinute: number, nowMs: number): Bucket {
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    const made = { tokens: perMinute, at: nowMs };
    this.#buckets.set(name, made);
    if (this.#buckets.size > this.#maxBuckets) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return made;
  }
}
