import type { Policy } from "../../models/gate/policy.ts";

export type BreakerLimits = Pick<
  Policy["rollback"],
  "consecutiveFailures" | "failureRate" | "failureWindow" | "requestTimeoutMs"
>;

/**
 * Says when a model has failed too often: so many requests in a row, or more than a share of the latest ones.
 * Once open it stays open until it is reset for another model.
 */
export class Breaker {
  readonly #limits: BreakerLimits;
  /** The latest requests, 1 for a failure, as a ring. */
  readonly #ring: Uint8Array;
  #next = 0;
  #inWindow = 0;
  #inARow = 0;
  #why: string | null = null;

  constructor(limits: BreakerLimits) {
    this.#limits = limits;
    this.#ring = new Uint8Array(limits.failureWindow);
  }

  /** Why it is open, in words; null while it is closed. */
  get why(): string | null {
    return this.#why;
  }

  /** Counts one request. True when this one opened the breaker. */
  record(failed: boolean): boolean {
    this.#inWindow += Number(failed) - this.#ring[this.#next];
    this.#ring[this.#next] = Number(failed);
    this.#next = (this.#next + 1) % this.#ring.length;
    this.#inARow = failed ? this.#inARow + 1 : 0;
    if (!failed || this.#why !== null) return false;
    this.#why = this.#verdict();
    return this.#why !== null;
  }

  reset(): void {
    this.#ring.fill(0);
    this.#next = 0;
    this.#inWindow = 0;
    this.#inARow = 0;
    this.#why = null;
  }

  /** Requests not made yet count as good, so that a few failures at the start are not a rate. */
  #verdict(): string | null {
    const { consecutiveFailures, failureRate, failureWindow } = this.#limits;
    if (this.#inARow >= consecutiveFailures) return `failed ${this.#inARow} requests in a row`;
    if (this.#inWindow > failureRate * failureWindow) {
      return `failed ${this.#inWindow} of the last ${failureWindow} requests`;
    }
    return null;
  }
}
