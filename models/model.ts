import { compressed, toCompress } from "./arrays/compression.ts";
import type { ItemId } from "./data/ids.ts";
import type { TrainingSet } from "./data/interaction-matrix.ts";
import type { Vocabulary } from "./data/vocabulary.ts";
import { recipeNamed } from "./phases.ts";
import { decayedCounts } from "./popularity/counts.ts";
import { topByBounds } from "./ranking/bounded-top-k.ts";
import { firstNonFinite, topK } from "./ranking/ranking.ts";
import type {
  EncodedHistory,
  FitOptions,
  ItemScorer,
  NamedArrays,
  Params,
  Phase,
  TrainingReport,
} from "./recipe.ts";
import { NonFiniteScoreError } from "./recipe.ts";
import type { ItemFilter, Query, Recommendation, Recommender, ScoredItem } from "./recommender.ts";

/** Half-life of the popularity floor that every artifact carries, days, unless asked otherwise. */
export const FLOOR_HALF_LIFE_DAYS = 180;

/** A fitted model: everything an artifact holds. Immutable. */
export interface Model {
  readonly phase: Phase;
  readonly recipe: string;
  readonly params: Params;
  readonly seed: number;
  readonly items: Vocabulary<ItemId>;
  /** (items) decayed popularity: answers when the history says nothing and tops up short lists. */
  readonly floor: Float32Array;
  readonly arrays: NamedArrays;
}

export interface FittedModel {
  readonly model: Model;
  /** The same with every array as it was learned, when `model` holds compressed ones. */
  readonly exact?: Model | undefined;
  readonly report: TrainingReport;
}

export interface FitModelOptions extends FitOptions {
  /** Half-life of the popularity floor, days. */
  readonly floorHalfLifeDays?: number;
}

export async function fitModel(
  recipe: string,
  train: TrainingSet,
  params: Params,
  options: FitModelOptions,
): Promise<FittedModel> {
  const definition = recipeNamed(recipe);
  const complete = { ...definition.defaults, ...params };
  const { arrays, report } = await definition.fit(train, complete, options);
  const floor = decayedCounts(train, options.floorHalfLifeDays ?? FLOOR_HALF_LIFE_DAYS);
  const items = train.interactions.items;
  const learned: Model = {
    phase: definition.phase,
    recipe,
    params: complete,
    seed: options.seed,
    items,
    floor,
    arrays,
  };
  const names = toCompress(definition, complete);
  if (names.length === 0) return { model: learned, report };
  return { model: { ...learned, arrays: compressed(arrays, names) }, exact: learned, report };
}

/** Turns a model into something that answers queries. Every phase ranks, excludes and tops up in this one place. */
export function recommenderOf(model: Model): Recommender {
  const scorer = recipeNamed(model.recipe).scorer(model.arrays, model.params);
  return new RankingRecommender(model, scorer);
}

/** Room for a history of `length` entries. */
function historyOf(length: number): EncodedHistory {
  return {
    items: new Uint32Array(length),
    weights: new Float32Array(length),
    timestamps: new Float64Array(length),
  };
}

class RankingRecommender implements Recommender {
  readonly phase: Phase;
  readonly recipe: string;
  readonly #items: Vocabulary<ItemId>;
  readonly #floor: Float32Array;
  readonly #scorer: ItemScorer;
  /** blockedIn[i] === #query means item i may not be shown in the current query. */
  readonly #blockedIn: Uint32Array;
  #query = 0;
  #encoded = historyOf(64);
  /** Items of the current query's history that the user is against, latest first. */
  #against: number[] = [];
  readonly #candidateMasks = new WeakMap<ItemFilter, Uint8Array>();

  constructor(model: Model, scorer: ItemScorer) {
    this.phase = model.phase;
    this.recipe = model.recipe;
    this.#items = model.items;
    this.#floor = model.floor;
    this.#scorer = scorer;
    this.#blockedIn = new Uint32Array(model.items.size);
  }

  recommend(query: Query): Recommendation {
    if (!Number.isInteger(query.k) || query.k < 1) {
      throw new RangeError(`recommend: expected k to be a positive integer, got ${query.k}`);
    }
    this.#query++;
    const history = this.#encode(query);
    const allowed = this.#allowed(query);
    const scored = this.#score(history, query.k, allowed);
    if (history.items.length === 0 && scored.length > 0) return { items: scored, source: "popular" };
    if (scored.length === query.k) return { items: scored, source: "model" };

    for (const { itemId } of scored) this.#block(itemId);
    const lastScore = scored.at(-1)?.score ?? 0;
    const popular = this.#take(this.#floor, query.k - scored.length, allowed);
    if (scored.length === 0) return { items: popular, source: "popular" };
    // A topped-up item carries no personal evidence, so it never scores above one that does.
    const topUp = popular.map(({ itemId }) => ({ itemId, score: Math.min(0, lastScore) }));
    return { items: [...scored, ...topUp], source: topUp.length > 0 ? "model+popular" : "model" };
  }

  /**
   * Dense history: unknown items dropped, repeats kept at their latest place; blocks every history item. What was
   * merely shown (weight 0) is no history, and what the user is against is blocked and kept apart. The arrays are views
   * of buffers that the next query overwrites.
   */
  #encode({ history }: Query): EncodedHistory {
    if (history.length > this.#encoded.items.length) this.#encoded = historyOf(2 * history.length);
    const { items, weights, timestamps } = this.#encoded;
    let start = items.length;
    this.#against = [];
    for (let position = history.length - 1; position >= 0; position--) {
      const { itemId, weight, timestamp } = history[position];
      const index = this.#items.indexOf(itemId);
      if (index === undefined || weight === 0 || this.#blockedIn[index] === this.#query) continue;
      this.#blockedIn[index] = this.#query;
      if (weight < 0) {
        this.#against.push(index);
        continue;
      }
      start--;
      items[start] = index;
      weights[start] = weight;
      timestamps[start] = timestamp;
    }
    return {
      items: items.subarray(start),
      weights: weights.subarray(start),
      timestamps: timestamps.subarray(start),
    };
  }

  #block(item: ItemId): void {
    const index = this.#items.indexOf(item);
    if (index !== undefined) this.#blockedIn[index] = this.#query;
  }

  #allowed(query: Query): (index: number) => boolean {
    const { exclude, hidden, candidates } = query;
    if (exclude instanceof Set) for (const item of exclude) this.#block(item);
    const excluded = exclude instanceof Set ? undefined : exclude;
    const unavailable = hidden === undefined ? undefined : this.#mask(hidden);
    const shown = candidates === undefined ? undefined : this.#mask(candidates);
    return (index) =>
      this.#blockedIn[index] !== this.#query &&
      (unavailable === undefined || unavailable[index] === 0) &&
      (shown === undefined || shown[index] === 1) &&
      // Last: asking costs most, and few items get here.
      !(excluded?.has(this.#items.idAt(index)) ?? false);
  }

  /** Item filters are long-lived objects (a genre, a shelf): their dense mask is computed once. */
  #mask(filter: ItemFilter): Uint8Array {
    const known = this.#candidateMasks.get(filter);
    if (known !== undefined) return known;
    const mask = Uint8Array.from(this.#items.ids, (item) => (filter.has(item) ? 1 : 0));
    this.#candidateMasks.set(filter, mask);
    return mask;
  }

  /** The k best by the model's own scores; none when the history says nothing to it. */
  #score(history: EncodedHistory, k: number, allowed: (index: number) => boolean): ScoredItem[] {
    const { bounded } = this.#scorer;
    if (bounded === undefined) {
      const scores = this.#scorer.scoreItems(history);
      return scores === null ? [] : this.#take(this.#lessAgainst(scores), k, allowed);
    }
    const bounds = bounded.boundItems(history);
    if (bounds === null) return [];
    this.#check(bounds);
    const { items, scores } = topByBounds(bounds, (chosen) => bounded.scoresOf(chosen), k, allowed);
    return Array.from(items, (index, place) => ({ itemId: this.#items.idAt(index), score: scores[place] }));
  }

  /** What the disliked items would recommend is taken off, in models whose scores add up. */
  #lessAgainst(scores: Float32Array): Float32Array {
    if (this.#against.length === 0 || this.#scorer.additive !== true) return scores;
    // The scorer's buffer is overwritten by the next call.
    const liked = scores.slice();
    const items = Uint32Array.from(this.#against).reverse();
    const disliked = this.#scorer.scoreItems({
      items,
      weights: new Float32Array(items.length).fill(1),
      timestamps: new Float64Array(items.length),
    });
    if (disliked !== null) for (let item = 0; item < liked.length; item++) liked[item] -= disliked[item];
    return liked;
  }

  #take(scores: Float32Array, k: number, allowed: (index: number) => boolean): ScoredItem[] {
    this.#check(scores);
    return Array.from(topK(scores, k, allowed), (index) => ({
      itemId: this.#items.idAt(index),
      score: scores[index],
    }));
  }

  /** @throws NonFiniteScoreError, RangeError */
  #check(scores: Float32Array): void {
    if (scores.length !== this.#items.size) {
      throw new RangeError(`${this.recipe}: expected ${this.#items.size} scores, got ${scores.length}`);
    }
    const broken = firstNonFinite(scores);
    if (broken >= 0) throw new NonFiniteScoreError(this.recipe, broken, scores[broken]);
  }
}
