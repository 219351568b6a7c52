import Type from "typebox";
import { processorWait } from "../../jobs/shadow/processor-wait.ts";
import { type Model, recommenderOf } from "../../models/model.ts";
import { registerRecipe } from "../../models/phases.ts";
import type { EncodedHistory, ItemScorer, Recipe } from "../../models/recipe.ts";
import type { Query, Recommendation, Recommender, ScoredItem } from "../../models/recommender.ts";
import { tinyModel } from "./tiny-model.ts";

/**
 * Recipes for tests only. All know what comes next in a series, which is the planted gain; each but "none" has one
 * defect. Importing this module adds them to the ladder of this process or thread.
 */
export const DEFECTS = [
  "none",
  "nan",
  "empty",
  "short",
  "duplicate",
  "seen",
  "unsteady",
  "error",
  "slow",
  "hang",
  "constant",
  "late-data",
  "leak",
  "hoard",
] as const;

export type Defect = (typeof DEFECTS)[number];

/** The vocabulary: so many series of so many films each, then films that are only ever shown to everybody. */
export const SERIES = 10;
export const FILMS = 24;
export const CONSTANTS = 20;
export const POPULAR = 40;

export const recipeOf = (defect: Defect): string => `planted-${defect}`;

/** Of this many answers one is broken. Odd, so that it is not always the repeat of a query that is asked twice. */
const ONE_IN = { nan: 41, list: 41, error: 101, slow: 21 } as const;
const SLOW_MS = 80;
const waitedMs = processorWait();
/** Kept of every answer. */
const LEAKED_BYTES = 1_000_000;

function scorerOf(defect: Defect, items: number): ItemScorer {
  const scores = new Float32Array(items);
  let asked = 0;
  const kept: unknown[] = [];
  return {
    scoreItems: ({ items: history }: EncodedHistory) => {
      asked++;
      if (defect === "hang") for (;;);
      if (defect === "leak") kept.push(new Float32Array(LEAKED_BYTES / 4).fill(1));
      if (defect === "hoard") kept.push(Array.from({ length: 100_000 }, (_, value) => ({ value })));
      if (defect === "error" && asked % ONE_IN.error === 0) throw new Error("one in so many");
      if (defect === "slow" && asked % ONE_IN.slow === 0) spin(SLOW_MS);
      const backwards = defect === "unsteady" && asked % 2 === 0;
      const seen = new Float32Array(SERIES + 1);
      for (const item of history) seen[Math.min(SERIES, Math.floor(item / FILMS))]++;
      for (let item = 0; item < items; item++) {
        const series = Math.floor(item / FILMS);
        const place = item % FILMS;
        scores[item] = series < SERIES ? seen[series] * 100 - (backwards ? FILMS - place : place) : -item;
        if (defect === "constant") scores[item] = item < SERIES * FILMS ? -item : items - item;
      }
      if (defect === "nan" && asked % ONE_IN.nan === 0) scores[0] = Number.NaN;
      return scores;
    },
  };
}

/** Computes for so long, without the time for which others had the processor: lanes do not count that either. */
function spin(durationMs: number): void {
  const ownTimeMs = () => performance.now() - waitedMs();
  const end = ownTimeMs() + durationMs;
  while (ownTimeMs() < end);
}

function plantedRecipe(defect: Defect): Recipe {
  return {
    name: recipeOf(defect),
    phase: 2,
    summary: "for tests",
    schema: Type.Object({}, { additionalProperties: false }),
    defaults: {},
    space: {},
    fit: () => Promise.reject(new Error("planted models are made by hand")),
    scorer: (arrays) => scorerOf(defect, arrays.zeros.data.length),
  };
}

/** Breaks a good list the way the defect says. */
function broken(list: readonly ScoredItem[], defect: string, { history }: Query): readonly ScoredItem[] {
  if (defect === recipeOf("empty")) return [];
  if (defect === recipeOf("short")) return list.slice(0, 4);
  if (defect === recipeOf("duplicate")) return [...list.slice(0, -1), list[0]];
  if (defect === recipeOf("seen") && history.length > 0) {
    return [...list.slice(0, -1), { itemId: history[0].itemId, score: -1e9 }];
  }
  return list;
}

for (const defect of DEFECTS) registerRecipe(plantedRecipe(defect));

// Every recipe is ranked in one place that keeps the rules of a list, so lists are broken behind it.
const ranking = Object.getPrototypeOf(recommenderOf(plantedModel("none", tinyModel(1)))) as Recommender;
const recommend = ranking.recommend;
const asked = new WeakMap<Recommender, number>();
/** A query that is asked again is answered alike. */
const isBroken = new WeakMap<Query, boolean>();
ranking.recommend = function (this: Recommender, query: Query): Recommendation {
  if (!isBroken.has(query)) {
    const count = (asked.get(this) ?? 0) + 1;
    asked.set(this, count);
    isBroken.set(query, count % ONE_IN.list === 0);
  }
  const honest = recommend.call(this, query);
  if (isBroken.get(query) !== true) return honest;
  return { ...honest, items: broken(honest.items, this.recipe, query) };
};

/** A model of one of these recipes, over the given vocabulary. */
export function plantedModel(defect: Defect, { items, floor }: Pick<Model, "items" | "floor">): Model {
  const zeros = { shape: [items.size], data: new Float32Array(items.size) };
  return { phase: 2, recipe: recipeOf(defect), params: {}, seed: 1, items, floor, arrays: { zeros } };
}
