import type { Query, Recommendation } from "../../models/recommender.ts";
import { PhasewiseError } from "../errors.ts";
import { type Attempt, attempt, failed } from "./attempt.ts";
import { Breaker, type BreakerLimits } from "./breaker.ts";
import type { Answer, Lineup } from "./lineup.ts";
import { checkedAnswer, type ServedModel } from "./served-model.ts";

export interface AnswerEvents {
  onFallback?(from: ServedModel, to: ServedModel, error: unknown): void;
  /** The live model failed too often and is set aside until the pointer moves; `why` has the numbers. */
  onBroken?(model: ServedModel, why: string, error: unknown): void;
  /** One request that was the live model's to answer: what it took; null when it threw or was set aside. */
  onAsked?(elapsedMs: number | null): void;
}

/** Answers requests from a lineup, whatever its live model does: throws, gives no finite score, or is late. */
export class Answers {
  readonly #limits: BreakerLimits;
  readonly #breaker: Breaker;
  readonly #events: AnswerEvents;

  constructor(limits: BreakerLimits, events: AnswerEvents = {}) {
    this.#limits = limits;
    this.#breaker = new Breaker(limits);
    this.#events = events;
  }

  /** Whether the live model has failed so often that it is not asked any more. */
  get liveSetAside(): boolean {
    return this.#breaker.why !== null;
  }

  /** Another live model: what the last one did is not counted against it. */
  reset(): void {
    this.#breaker.reset();
  }

  /**
   * From the live model; when that fails or is late from the previous one, then from the floor.
   * @throws NOT_READY
   */
  answer(lineup: Lineup, query: Query): Answer {
    const asked = this.#askLive(lineup.live, query);
    if (asked.outcome === "answered") return answerOf(asked.recommendation, lineup.live);
    let { failure } = asked;
    for (const model of [lineup.previous, lineup.floor]) {
      if (model === null || model.version === lineup.live.version) continue;
      try {
        const recommendation = checkedAnswer(model, query);
        this.#events.onFallback?.(lineup.live, model, failure);
        return answerOf(recommendation, model);
      } catch (error) {
        failure = error;
      }
    }
    // Nobody else can answer: late is better than never, and so is a model that was set aside.
    const lastResort = asked.recommendation ?? this.#tryLive(lineup.live, query);
    if (lastResort !== null) return answerOf(lastResort, lineup.live);
    throw new PhasewiseError("NOT_READY", "no loaded model can answer: roll back or promote", {}, failure);
  }

  #askLive(model: ServedModel, query: Query): Attempt {
    if (this.liveSetAside) {
      this.#events.onAsked?.(null);
      return failed(new Error(`${model.version} is set aside`));
    }
    const asked = attempt(model, query, this.#limits.requestTimeoutMs);
    const opened = this.#breaker.record(asked.outcome !== "answered");
    this.#events.onAsked?.(asked.elapsedMs);
    if (opened && asked.outcome !== "answered") {
      this.#events.onBroken?.(model, this.#breaker.why ?? "", asked.failure);
    }
    return asked;
  }

  /** What a model says that was set aside; null when it says nothing, or is asked as usual. */
  #tryLive(model: ServedModel, query: Query): Recommendation | null {
    if (!this.liveSetAside) return null;
    try {
      return checkedAnswer(model, query);
    } catch {
      return null;
    }
  }
}

/** Of one model and no other; null when it fails. */
export function answerFrom(model: ServedModel, query: Query): Answer | null {
  try {
    return answerOf(checkedAnswer(model, query), model);
  } catch {
    return null;
  }
}

function answerOf(recommendation: Recommendation, model: ServedModel): Answer {
  return { recommendation, model, canary: false };
}
