import Type from "typebox";
import { vectorOf } from "../arrays/named-arrays.ts";
import type { Fitted, ItemScorer, NamedArrays, Recipe } from "../recipe.ts";
import { counts, decayedCounts } from "./counts.ts";

/** A half-life at which nothing fades: a century. */
export const ALL_TIME_DAYS = 36_500;

/** No learning: the same list for everybody, less what each has seen. The heuristic every model must beat. */
function fitted(popularity: Float32Array): Fitted {
  return {
    arrays: { popularity: { shape: [popularity.length], data: popularity } },
    report: { epochs: 1, losses: [], stillImproving: false, backend: "javascript" },
  };
}

function scorer(arrays: NamedArrays): ItemScorer {
  const popularity = vectorOf(arrays, "popularity", Float32Array);
  return { scoreItems: () => popularity };
}

export const popularity: Recipe = {
  name: "popularity",
  phase: 1,
  summary: "most interactions of all time",
  schema: Type.Object({}, { additionalProperties: false }),
  defaults: {},
  space: {},
  fit: async (train) => fitted(counts(train)),
  scorer,
};

export const popularLately: Recipe<{ halfLifeDays: number }> = {
  name: "popular-lately",
  phase: 1,
  summary: "most interactions, each fading with a half-life",
  schema: Type.Object(
    {
      halfLifeDays: Type.Number({
        exclusiveMinimum: 0,
        description: "Days after which an interaction counts half",
      }),
    },
    { additionalProperties: false },
  ),
  defaults: { halfLifeDays: 180 },
  unorderedDefaults: { halfLifeDays: ALL_TIME_DAYS },
  undatedDefaults: { halfLifeDays: ALL_TIME_DAYS },
  space: { halfLifeDays: { kind: "log", low: 7, high: 2000 } },
  fit: async (train, { halfLifeDays }) => fitted(decayedCounts(train, halfLifeDays)),
  scorer,
};
