import { isAssigned } from "../../models/gate/assignment.ts";
import type { Query } from "../../models/recommender.ts";
import { Breaker, type BreakerLimits } from "./breaker.ts";
import type { Answer, ServedCanary } from "./lineup.ts";
import { checkedAnswer, type ServedModel } from "./served-model.ts";

export type CanaryOutcome = "answered" | "failed" | "slow" | "set-aside";

export interface CanaryEvents {
  onOutcome?(outcome: CanaryOutcome): void;
  /** The canary failed too often and is not asked any more; `why` has the numbers. */
  onBroken?(model: ServedModel, why: string, error: unknown): void;
}

/**
 * Answers the users of the canary's share. A user is on the canary by a hash of the user id and the version: in
 * every replica alike, for as long as it runs, and a larger share keeps everybody who was on it. Requests
 * without a user stay with the live version. A canary that throws, gives a non-finite score or is late leaves
 * that request to the live version; one that has failed too often is not asked any more.
 */
export class Canary {
  readonly #breaker: Breaker;
  readonly #events: CanaryEvents;
  /** What the breaker counts: what one version did is not counted against the next. */
  #asked: ServedModel | null = null;

  constructor(limits: BreakerLimits, events: CanaryEvents = {}) {
    this.#breaker = new Breaker(limits);
    this.#events = events;
  }

  /** Whether it failed so often that the live version answers for it. */
  hasSetAside(model: ServedModel): boolean {
    return model === this.#asked && this.#breaker.why !== null;
  }

  /** Null when the request is the live version's to answer. */
  answer(canary: ServedCanary | null, query: Query, user: string | null): Answer | null {
    if (canary === null || user === null || !isOnCanary(user, canary)) return null;
    const { model } = canary;
    if (model !== this.#asked) this.#breaker.reset();
    this.#asked = model;
    if (this.hasSetAside(model)) return this.#leave("set-aside");
    const startedAt = performance.now();
    try {
      const recommendation = checkedAnswer(model, query);
      const tookMs = performance.now() - startedAt;
      const late = this.#breaker.lateness(model.version, tookMs);
      if (late !== null) return this.#failed(model, "slow", late);
      this.#breaker.record(false);
      this.#events.onOutcome?.("answered");
      return { recommendation, model, canary: true };
    } catch (error) {
      return this.#failed(model, "failed", error);
    }
  }

  #failed(model: ServedModel, outcome: CanaryOutcome, error: unknown): null {
    if (this.#breaker.record(true)) this.#events.onBroken?.(model, this.#breaker.why ?? "", error);
    return this.#leave(outcome);
  }

  #leave(outcome: CanaryOutcome): null {
    this.#events.onOutcome?.(outcome);
    return null;
  }
}

export function isOnCanary(user: string, { model, share }: ServedCanary): boolean {
  return isAssigned(user, `canary/${model.version}`, share);
}
