export interface AdaptiveLimitOptions {
  readonly least: number;
  readonly most: number;
  /** Mean time of a request here that is still well, milliseconds. */
  readonly targetMs: number;
}

/** The limit is looked at so often, milliseconds. */
const WINDOW_MS = 100;
const SHRINK = 0.8;
const GROW = 2;

/**
 * How many requests may be worked on at once, learnt from how long they take: additive increase, multiplicative decrease
 * (Chiu and Jain 1989). What waits here waits for the one thread there is, so past the target more at once would only
 * make everybody wait longer; below it, room is given back for as long as it is used.
 */
export class AdaptiveLimit {
  readonly #options: AdaptiveLimitOptions;
  #limit: number;
  #windowEnds = 0;
  #requests = 0;
  #sumMs = 0;

  constructor(options: AdaptiveLimitOptions) {
    this.#options = options;
    this.#limit = options.most;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** A request that has its answer. @param now milliseconds of a clock that never goes back */
  record(elapsedMs: number, now: number): void {
    this.#requests++;
    this.#sumMs += elapsedMs;
    if (now < this.#windowEnds) return;
    const { least, most, targetMs } = this.#options;
    const late = this.#sumMs > targetMs * this.#requests;
    const next = late ? this.#limit * SHRINK : this.#limit + GROW;
    this.#limit = Math.min(most, Math.max(Math.min(least, most), next));
    this.#windowEnds = now + WINDOW_MS;
    this.#requests = 0;
    this.#sumMs = 0;
  }
}
