import { MS_PER_DAY } from "../../models/data/day.ts";
import { recommenderOf } from "../../models/model.ts";
import type { Phase } from "../../models/recipe.ts";
import type { ItemFilter, Query, Recommendation, Recommender } from "../../models/recommender.ts";
import type { LoadedArtifact } from "../artifacts/types.ts";
import { PhasewiseError } from "../errors.ts";
import { rememberingLists } from "./remembered-lists.ts";

/** A version in memory, warmed and checked: ready to answer. Immutable. */
export interface ServedModel {
  readonly version: string;
  readonly phase: Phase;
  readonly recipe: string;
  readonly recommender: Recommender;
  /** Those it has learnt of. */
  readonly items: ItemFilter;
}

/** Histories of the smoke test; short and long ones take different paths through a model. */
const SMOKE_HISTORY_LENGTHS = [0, 1, 5, 30];
const SMOKE_K = 10;

/**
 * Makes a loaded artifact ready and asks it a few questions first, which also warms its code and caches.
 * @throws ARTIFACT_REFUSED when it fails one of them
 */
export function readyModel({ manifest, model }: LoadedArtifact): ServedModel {
  const { version, phase, recipe } = manifest;
  const refuse = (what: string, cause?: unknown): PhasewiseError =>
    new PhasewiseError("ARTIFACT_REFUSED", `${version}: ${what}; retrain it`, { version }, cause);
  let served: ServedModel;
  try {
    const recommender = rememberingLists(recommenderOf(model));
    served = { version, phase, recipe, recommender, items: model.items };
  } catch (error) {
    throw refuse("cannot be made into a recommender", error);
  }
  const items = model.items.ids;
  for (const length of SMOKE_HISTORY_LENGTHS) {
    const history = items
      .slice(0, length)
      .map((itemId, day) => ({ itemId, timestamp: day * MS_PER_DAY, weight: 1 }));
    let answer: Recommendation;
    try {
      answer = checkedAnswer(served, { history, k: SMOKE_K });
    } catch (error) {
      throw refuse(`fails a smoke query with a history of ${history.length}`, error);
    }
    const expected = Math.min(SMOKE_K, items.length - history.length);
    if (answer.items.length !== expected) {
      throw refuse(`answers a smoke query with ${answer.items.length} items, expected ${expected}`);
    }
  }
  return served;
}

/** A non-finite score never leaves the service, whoever made it. */
export function checkedAnswer(model: ServedModel, query: Query): Recommendation {
  const answer = model.recommender.recommend(query);
  for (const { itemId, score } of answer.items) {
    if (!Number.isFinite(score)) throw new RangeError(`${model.version}: score ${score} for item ${itemId}`);
  }
  return answer;
}
