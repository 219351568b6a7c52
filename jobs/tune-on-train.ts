import type { InteractionLog } from "../models/data/interaction-log.ts";
import { trainingSet } from "../models/data/interaction-matrix.ts";
import { seededRandom } from "../models/data/random.ts";
import { sliceLog } from "../models/data/slice.ts";
import { splitRequests } from "../models/evaluation/requests.ts";
import type { Params, Recipe, TrainingProgress } from "../models/recipe.ts";
import { type SearchResult, tune } from "./tune.ts";

export interface TuneOnTrainOptions {
  readonly recipe: Recipe;
  readonly base: Params;
  /** Parameters that were given by hand and must not be searched. */
  readonly fixed: Params;
  readonly log: InteractionLog;
  /** Whether the split to come is by time; validation is then carved the same way. */
  readonly ordered: boolean;
  readonly trials: number;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

/** Share of a train file that is kept back to tune on. */
const VALIDATION_SHARE = 0.2;

/** Carves a validation set from a train file, the way its test file was made, and searches on it. */
export async function tuneOnTrain(options: TuneOnTrainOptions): Promise<SearchResult> {
  const { log, recipe, fixed, ordered, seed } = options;
  const [train, validation] = ordered ? lastShare(log) : randomShare(log, seed);
  // What order in time teaches cannot be learned where there is none.
  const settled = ordered ? fixed : { ...recipe.unorderedDefaults, ...fixed };
  const space = Object.fromEntries(Object.entries(recipe.space).filter(([name]) => !(name in settled)));
  const split = { train: trainingSet(train, new Map()), requests: splitRequests(train, validation) };
  return tune({ ...options, space, split });
}

function lastShare(log: InteractionLog): [InteractionLog, InteractionLog] {
  const events = log.timestamps.length;
  const cut = Math.round(events * (1 - VALIDATION_SHARE));
  return [sliceLog(log, 0, cut), sliceLog(log, cut, events)];
}

/** The same events for the same seed, whatever their order in time. */
function randomShare(log: InteractionLog, seed: number): [InteractionLog, InteractionLog] {
  const random = seededRandom(seed);
  const kept = Uint8Array.from({ length: log.timestamps.length }, () =>
    random.next() < VALIDATION_SHARE ? 1 : 0,
  );
  const where = (side: number): InteractionLog => ({
    users: log.users,
    items: log.items,
    userIndex: log.userIndex.filter((_, event) => kept[event] === side),
    itemIndex: log.itemIndex.filter((_, event) => kept[event] === side),
    timestamps: log.timestamps.filter((_, event) => kept[event] === side),
    weights: log.weights.filter((_, event) => kept[event] === side),
  });
  return [where(0), where(1)];
}
