import { itemId } from "../../models/data/ids.ts";
import type { Catalogue } from "../../models/data/interaction-log.ts";
import type { Model } from "../../models/model.ts";
import type { ItemFilter, Query } from "../../models/recommender.ts";
import type { RemoteParams } from "../../models/remote/remote.ts";
import { excluding, SeenFilter } from "../../services/interactions/seen-filter.ts";
import { askRemote, RemoteTimeout, refusalOf } from "../../services/remote/remote-ranker.ts";
import type { LaneAnswer } from "../../services/shadow/types.ts";
import { brokenRules } from "./broken-rules.ts";
import type { LaneQuery } from "./lanes.ts";

export interface RemoteLaneOptions {
  readonly model: Model;
  readonly catalogue: Catalogue;
  readonly timeoutMs: number;
  /** Failures in a row after which it is not asked for a while. */
  readonly consecutiveFaults: number;
  readonly allowedOrigins: readonly string[];
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** How long it is left alone after so many failures, milliseconds. */
  readonly pauseMs?: number | undefined;
}

const PAUSE_MS = 30_000;
/** Asked at once, so that a batch takes no longer than a few answers do. */
const AT_ONCE = 4;
/** Asked for beyond k where items were seen so long ago that the remote cannot know. */
const SPARE = 10;

/**
 * The lane of a ranker behind a URL. What it does wrong is its own fault and nobody else's: late, an error, no JSON, items
 * that nobody knows. After some failures in a row the circuit opens, and what was not asked has failed too; after a
 * pause one question tries again.
 */
export class RemoteLane {
  readonly #options: RemoteLaneOptions;
  #failuresInARow = 0;
  #openUntil = Number.NEGATIVE_INFINITY;

  constructor(options: RemoteLaneOptions) {
    this.#options = options;
  }

  /** Answers in the order of the queries. */
  async ask(queries: readonly LaneQuery[]): Promise<LaneAnswer[]> {
    const answers = new Array<LaneAnswer>(queries.length);
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let place = next++; place < queries.length; place = next++) {
        answers[place] = await this.#answer(queries[place]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return answers;
  }

  async #answer(asked: LaneQuery): Promise<LaneAnswer> {
    const { now, consecutiveFaults, pauseMs = PAUSE_MS } = this.#options;
    if (now() < this.#openUntil) {
      return failed("error", 0, `not asked: ${this.#failuresInARow} answers in a row had failed`);
    }
    const start = performance.now();
    try {
      const answer = await this.#listFor(asked, start);
      this.#failuresInARow = 0;
      return answer;
    } catch (error) {
      const fault = error instanceof RemoteTimeout ? "timeout" : "error";
      if (++this.#failuresInARow >= consecutiveFaults) this.#openUntil = now() + pauseMs;
      return failed(fault, performance.now() - start, error instanceof Error ? error.message : String(error));
    }
  }

  async #listFor(asked: LaneQuery, start: number): Promise<LaneAnswer> {
    const { model, timeoutMs, allowedOrigins, catalogue } = this.#options;
    const { url } = model.params as RemoteParams;
    const refusal = refusalOf(url, allowedOrigins);
    if (refusal !== null) throw new Error(refusal);
    const { history, k, exclude, genre } = asked;
    const seen = asked.seen === null ? null : new SeenFilter(asked.seen);
    const question = { history, exclude, genre, k: seen === null ? k : k + SPARE };
    const list = async (): Promise<string[]> => {
      const items = await askRemote(url, question, { timeoutMs });
      return seen === null ? items : items.filter((item) => !seen.has(itemId(item))).slice(0, k);
    };
    const items = await list();
    const elapsedMs = performance.now() - start;
    const repeated = asked.repeat ? (await list()).join() === items.join() : null;
    const candidates: ItemFilter | undefined =
      genre === undefined
        ? undefined
        : { has: (item) => catalogue.get(item)?.genres.includes(genre) ?? false };
    const query: Query = { history, k, exclude: excluding(exclude.map(itemId), seen), candidates };
    const scored = items.map((item, place) => ({ itemId: itemId(item), score: 1 / (1 + place) }));
    // It takes no memory here.
    return {
      items,
      elapsedMs,
      broken: brokenRules(model, scored, query),
      repeated,
      memoryMb: 0,
      fault: null,
    };
  }
}

function failed(fault: "error" | "timeout", elapsedMs: number, message: string): LaneAnswer {
  return { items: [], elapsedMs, fault, broken: [], repeated: null, message };
}
