import { groupedBy } from "../data/grouped-by.ts";
import type { ItemId, UserId } from "../data/ids.ts";
import type { Catalogue } from "../data/interaction-log.ts";
import type { Vocabulary } from "../data/vocabulary.ts";
import type { Recommender } from "../recommender.ts";
import { bootstrapMean } from "./bootstrap.ts";
import { metricIntervals } from "./intervals.ts";
import { type FaultCounts, listFaults, noFaults } from "./list-faults.ts";
import { eachUserMetric, listMetrics, type UserMetric, withExposure } from "./metrics.ts";
import { mean } from "./moments.ts";
import { selfInformation } from "./novelty.ts";
import type { EvaluationSummary } from "./report.ts";
import type { RequestSet } from "./requests.ts";

/** One user's figures: the mean of the user's requests. The unit of every comparison. */
export interface UserEvaluation {
  readonly user: UserId;
  readonly ndcg: number;
  readonly requests: number;
  /** Interactions known at the first request. */
  readonly historyLength: number;
  readonly novelty: number;
  readonly diversity: number;
}

export interface Evaluation extends EvaluationSummary {
  readonly perUser: readonly (UserEvaluation & Readonly<Record<UserMetric, number>>)[];
  /** (items) users who were shown each item of the vocabulary. */
  readonly exposure: Uint32Array;
  /** Lists that broke a rule; their hits do not count. */
  readonly faults: FaultCounts;
}

export interface EvaluateOptions {
  /** Length of the lists (default 10). */
  readonly k?: number;
  readonly catalogue?: Catalogue;
  /** The catalogue that coverage and exposure are measured over: every item that may be recommended. */
  readonly items: Vocabulary<ItemId>;
  /** (items) shares of the interactions, for novelty. */
  readonly popularity: Float32Array;
  readonly seed: number;
  readonly onProgress?: (done: number, total: number) => void;
}

type PerRequest = Record<UserMetric, number>;

/**
 * Asks the recommender every request over the whole catalogue and averages: first within a user, then over
 * users, so that a heavy user weighs as much as anybody.
 */
export function evaluate(recommender: Recommender, set: RequestSet, options: EvaluateOptions): Evaluation {
  if (set.requests.length === 0) {
    throw new RangeError(
      `evaluate: expected at least one request, got none (${set.dropped} dropped); cut earlier or bring more data`,
    );
  }
  const { k = 10, catalogue = new Map() } = options;
  const information = selfInformation(options.items, options.popularity);
  const shown = new Uint32Array(options.items.size);
  const exposure = new Uint32Array(options.items.size);
  const faults = noFaults();
  const perUser: (UserEvaluation & PerRequest)[] = [];
  let done = 0;
  for (const [user, requests] of groupedBy(set.requests, (request) => request.user)) {
    const sums: PerRequest[] = [];
    const shownToUser = new Set<number>();
    for (const request of requests) {
      const list = recommender.recommend({ history: request.history, k }).items;
      const ranking = list.map(({ itemId }) => itemId);
      const seen = new Set(request.history.map(({ itemId }) => itemId));
      const broken = listFaults(list, { k, seen, available: available(options.items, seen) });
      for (const fault of broken) faults[fault]++;
      for (const item of ranking.slice(0, k)) {
        const index = options.items.indexOf(item);
        if (index === undefined) continue;
        shown[index]++;
        shownToUser.add(index);
      }
      sums.push(
        listMetrics({
          shown: ranking,
          counted: hasOnlyFault(broken, "short-list") ? ranking : [],
          relevant: new Set(request.relevant),
          k,
          catalogue,
          information,
        }),
      );
      options.onProgress?.(++done, set.requests.length);
    }
    for (const index of shownToUser) exposure[index]++;
    const historyLength = requests[0].history.length;
    perUser.push({ user, requests: requests.length, historyLength, ...averaged(sums) });
  }
  const metrics = withExposure(averaged(perUser), shown);
  return {
    k,
    users: perUser.length,
    requests: set.requests.length,
    ...(set.sampledFrom !== undefined && { sampledFrom: set.sampledFrom }),
    dropped: set.dropped,
    ndcg: bootstrapMean(
      perUser.map((user) => user.ndcg),
      { seed: options.seed },
    ),
    metrics,
    perUser,
    exposure,
    faults,
  };
}

/** Of a window in which nobody asks: no figures, and users and requests of 0 that say why. */
export function nobodyAsked(k: number, dropped: number): EvaluationSummary {
  const none = { mean: 0, low: 0, high: 0 };
  return {
    k,
    users: 0,
    requests: 0,
    dropped,
    ndcg: none,
    metrics: withExposure(
      eachUserMetric(() => 0),
      [],
    ),
  };
}

/** What fits in a manifest, with every interval. */
export function summary(evaluation: Evaluation, seed: number): EvaluationSummary {
  const { k, users, requests, sampledFrom, dropped, ndcg, metrics, perUser } = evaluation;
  const intervals = metricIntervals(perUser, { seed });
  return {
    k,
    users,
    requests,
    ...(sampledFrom !== undefined && { sampledFrom }),
    dropped,
    ndcg,
    metrics,
    intervals,
  };
}

/** What comparisons need of each user. */
export function userFigures(evaluation: Evaluation): UserEvaluation[] {
  return evaluation.perUser.map(({ user, ndcg, requests, historyLength, novelty, diversity }) => ({
    user,
    ndcg,
    requests,
    historyLength,
    novelty,
    diversity,
  }));
}

/** A list that is merely short keeps its hits; any other broken rule forfeits them. */
function hasOnlyFault(faults: ReadonlySet<string>, tolerated: string): boolean {
  return faults.size === 0 || (faults.size === 1 && faults.has(tolerated));
}

function available(items: Vocabulary<ItemId>, seen: ReadonlySet<ItemId>): number {
  let left = items.size;
  for (const item of seen) if (items.has(item)) left--;
  return left;
}

function averaged(rows: readonly PerRequest[]): PerRequest {
  return eachUserMetric((metric) => mean(rows.map((row) => row[metric])));
}
