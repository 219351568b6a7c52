import { isAssigned } from "../../models/gate/assignment.ts";
import type { Query } from "../../models/recommender.ts";
import { type Attempt, attempt } from "./attempt.ts";
import { Breaker, type BreakerLimits } from "./breaker.ts";
import type { Answer, ServedCanary } from "./lineup.ts";
import type { ServedModel } from "./served-model.ts";

export type CanaryOutcome = Attempt["outcome"] | "set-aside";

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
  readonly #limits: BreakerLimits;
  readonly #breaker: Breaker;
  readonly #events: CanaryEvents;
  /** What the breaker counts: what one version did is not counted against the next. */
  #asked: ServedModel | null = null;

  constructor(limits: BreakerLimits, events: CanaryEvents = {}) {
    this.#limits = limits;
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
    const asked = attempt(model, query, this.#limits.requestTimeoutMs);
    const opened = this.#breaker.record(asked.outcome !== "answered");
    if (asked.outcome !== "answered") {
      if (opened) this.#events.onBroken?.(model, this.#breaker.why ?? "", asked.failure);
      return this.#leave(asked.outcome);
    }
    this.#events.onOutcome?.("answered");
    return { recommendation: asked.recommendation, model, canary: true };
  }

  #leave(outcome: CanaryOutcome): null {
    this.#events.onOutcome?.(outcome);
    return null;
  }
}

export function isOnCanary(user: string, { model, share }: ServedCanary): boolean {
  return isAssigned(user, `canary/${model.version}`, share);
}
