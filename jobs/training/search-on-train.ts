import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { carveLike } from "../../models/evaluation/carve.ts";
import { splitRequests } from "../../models/evaluation/requests.ts";
import type { OnProgress } from "../../models/long-work.ts";
import type { DataOrder, Params, Recipe } from "../../models/recipe.ts";
import { isWithin } from "../../models/tuning/space.ts";
import { type SearchResult, searchInProcess } from "./search-in-process.ts";

export interface SearchOnTrainOptions {
  readonly recipe: Recipe;
  readonly base: Params;
  /** Parameters that were given by hand and must not be searched. */
  readonly fixed: Params;
  readonly train: InteractionLog;
  /** Looked at for how it was cut, never for what is in it. */
  readonly test: InteractionLog;
  readonly order: DataOrder;
  readonly trials: number;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Carves a validation set from a train file, the way its test file was made, and searches on it. */
export async function searchOnTrain(options: SearchOnTrainOptions): Promise<SearchResult> {
  const { recipe, base, fixed, order, seed } = options;
  const { train, validation } = carveLike(options.train, options.test, order, seed);
  const space = Object.fromEntries(
    Object.entries(recipe.space).filter(([name, range]) => !(name in fixed) && isWithin(range, base[name])),
  );
  const split = { train: trainingSet(train, new Map()), requests: splitRequests(train, validation) };
  return searchInProcess({ ...options, space, split });
}
