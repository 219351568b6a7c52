import type { Query } from "../../models/recommender.ts";
import { PhasewiseError } from "../errors.ts";
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

/** What the live model said, if anything, and what is wrong with it, if anything: a late answer is both. */
interface LiveAnswer {
  readonly answer: Answer | null;
  readonly failure: unknown;
}

/** Answers requests from a lineup, whatever its live model does: throws, gives no finite score, or is late. */
export class Answers {
  readonly #breaker: Breaker;
  readonly #events: AnswerEvents;

  constructor(limits: BreakerLimits, events: AnswerEvents = {}) {
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
    if (asked.answer !== null && asked.failure === null) return asked.answer;
    let { failure } = asked;
    for (const model of [lineup.previous, lineup.floor]) {
      if (model === null || model.version === lineup.live.version) continue;
      try {
        const recommendation = checkedAnswer(model, query);
        this.#events.onFallback?.(lineup.live, model, failure);
        return { recommendation, model, canary: false };
      } catch (error) {
        failure = error;
      }
    }
    // Nobody else can answer: late is better than never, and so is a model that was set aside.
    const lastResort = asked.answer ?? this.#tryLive(lineup.live, query);
    if (lastResort !== null) return lastResort;
    throw new PhasewiseError("NOT_READY", "no loaded model can answer: roll back or promote", {}, failure);
  }

  #askLive(model: ServedModel, query: Query): LiveAnswer {
    if (this.liveSetAside) {
      this.#events.onAsked?.(null);
      return { answer: null, failure: new Error(`${model.version} is set aside`) };
    }
    const start = performance.now();
    try {
      const recommendation = checkedAnswer(model, query);
      const elapsedMs = performance.now() - start;
      const failure = this.#breaker.lateness(model.version, elapsedMs);
      this.#count(model, elapsedMs, failure);
      return { answer: { recommendation, model, canary: false }, failure };
    } catch (error) {
      this.#count(model, null, error);
      return { answer: null, failure: error };
    }
  }

  /** What a model says that was set aside; null when it says nothing, or is asked as usual. */
  #tryLive(model: ServedModel, query: Query): Answer | null {
    if (!this.liveSetAside) return null;
    try {
      return { recommendation: checkedAnswer(model, query), model, canary: false };
    } catch {
      return null;
    }
  }

  #count(model: ServedModel, elapsedMs: number | null, failure: unknown): void {
    const opened = this.#breaker.record(failure !== null);
    this.#events.onAsked?.(elapsedMs);
    if (opened) this.#events.onBroken?.(model, this.#breaker.why ?? "", failure);
  }
}
