import type { ItemId } from "../data/ids.ts";
import type { Catalogue } from "../data/interaction-log.ts";
import { averagePrecision } from "./average-precision.ts";
import { diversity } from "./diversity.ts";
import { coverage, gini } from "./exposure.ts";
import { hitRate, reciprocalRank } from "./first-hit.ts";
import { ndcg } from "./ndcg.ts";
import { novelty } from "./novelty.ts";
import { precision } from "./precision.ts";
import type { ListMetric } from "./ranked-list.ts";
import { cappedRecall, recall } from "./recall.ts";

/** What a metric may look at: one answer of a model, cut at k, and what would have been right. */
export interface JudgedList {
  /** Best first. */
  readonly shown: readonly ItemId[];
  /** The same, or empty where the list broke a rule and its hits do not count. */
  readonly counted: readonly ItemId[];
  readonly relevant: ReadonlySet<ItemId>;
  readonly k: number;
  readonly catalogue: Catalogue;
  /** Bits of self-information of an item. */
  readonly information: (item: ItemId) => number;
}

const ofHits =
  (metric: ListMetric) =>
  ({ counted, relevant, k }: JudgedList): number =>
    metric(counted, relevant, k);

/**
 * The metrics of a list. An evaluation averages each within a user and then over users, and gives it an interval.
 * Whatever is added here is evaluated, stored in the manifest and shown on the card under its name.
 */
const LIST_METRICS = {
  ndcg: ofHits(ndcg),
  map: ofHits(averagePrecision),
  precision: ofHits(precision),
  recall: ofHits(recall),
  /** hits / min(k, relevant). */
  cappedRecall: ofHits(cappedRecall),
  hitRate: ofHits(hitRate),
  mrr: ofHits(reciprocalRank),
  /** Mean −log2 popularity share of the items shown. */
  novelty: ({ shown, information }) => novelty(shown, information),
  /** 1 − mean pairwise genre cosine within a list. */
  diversity: ({ shown, catalogue }) => diversity(shown, catalogue),
} satisfies Record<string, (list: JudgedList) => number>;

/** The metrics of all lists together, from how often each item of the catalogue was shown. They have no interval. */
const EXPOSURE_METRICS = {
  /** Distinct items shown / catalogue. */
  coverage,
  /** Concentration of exposure over the catalogue, 0 even … 1 all on one item. */
  gini,
} satisfies Record<string, (shown: ArrayLike<number>) => number>;

/** A mean over users, each user's requests averaged first. */
export type UserMetric = keyof typeof LIST_METRICS;
export type Metrics = Readonly<Record<UserMetric | keyof typeof EXPOSURE_METRICS, number>>;

export const USER_METRICS = Object.keys(LIST_METRICS) as readonly UserMetric[];
const EXPOSURE_METRIC_NAMES = Object.keys(EXPOSURE_METRICS) as readonly (keyof typeof EXPOSURE_METRICS)[];

/** One figure for each metric of users. */
export function eachUserMetric<T>(figureOf: (metric: UserMetric) => T): Record<UserMetric, T> {
  return Object.fromEntries(USER_METRICS.map((metric) => [metric, figureOf(metric)])) as Record<
    UserMetric,
    T
  >;
}

export function listMetrics(list: JudgedList): Record<UserMetric, number> {
  return eachUserMetric((metric) => LIST_METRICS[metric](list));
}

/** @param shown (items) how often each item was shown */
export function withExposure(means: Record<UserMetric, number>, shown: ArrayLike<number>): Metrics {
  const exposure = EXPOSURE_METRIC_NAMES.map((metric) => [metric, EXPOSURE_METRICS[metric](shown)]);
  return { ...means, ...Object.fromEntries(exposure) };
}
