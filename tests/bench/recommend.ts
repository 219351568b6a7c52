/**
 * What a recommendation costs one thread: scores of the whole catalogue from a history of 50, and the best 10.
 * `npm run bench:recommend`; random weights, since only their number counts. Median and p99 of wall-clock milliseconds.
 */
import { type ItemId, itemId } from "../../models/data/ids.ts";
import { seededRandom } from "../../models/data/random.ts";
import { Vocabulary } from "../../models/data/vocabulary.ts";
import { als } from "../../models/factorization/als.ts";
import { recommenderOf } from "../../models/model.ts";
import { sasrec } from "../../models/neural/sasrec.ts";
import { initialWeights } from "../../models/neural/weights.ts";
import type { NamedArrays, Recipe } from "../../models/recipe.ts";

const D = 64;
const HISTORY = 50;
const QUERIES = 2000;
const GOALS: Readonly<Record<string, number>> = {
  "als 10000": 0.3,
  "als 60000": 1.5,
  "sasrec 10000": 1,
  "sasrec 60000": 1.5,
};
const random = seededRandom(1);
const normal = (length: number): Float32Array => Float32Array.from({ length }, () => 0.1 * random.normal());

function alsArrays(items: number): NamedArrays {
  const factors = normal(items * D);
  const gram = new Float32Array(D * D);
  for (let item = 0; item < items; item++) {
    for (let i = 0; i < D; i++) {
      for (let j = 0; j < D; j++) gram[i * D + j] += factors[item * D + i] * factors[item * D + j];
    }
  }
  return { itemFactors: { shape: [items, D], data: factors }, gram: { shape: [D, D], data: gram } };
}

function sasrecArrays(items: number): NamedArrays {
  const shape = { items, embeddingSize: D, blocks: 2, maxLength: HISTORY };
  return { ...initialWeights(shape, random), prior: { shape: [items], data: new Float32Array(items) } };
}

function measure(recipe: Recipe, items: number, arrays: NamedArrays): void {
  const ids = Array.from({ length: items }, (_, index) => itemId(`i${index}`));
  const recommender = recommenderOf({
    phase: recipe.phase,
    recipe: recipe.name,
    params: recipe.defaults,
    seed: 1,
    items: new Vocabulary<ItemId>(ids),
    floor: new Float32Array(items),
    arrays,
  });
  const times = Array.from({ length: QUERIES }, () => {
    const history = Array.from({ length: HISTORY }, (_, event) => ({
      itemId: ids[random.integer(items)],
      timestamp: event,
      weight: 1,
    }));
    const start = performance.now();
    recommender.recommend({ history, k: 10 });
    return performance.now() - start;
  })
    .slice(QUERIES / 4)
    .sort((a, b) => a - b);
  const at = (share: number): string => times[Math.floor(share * times.length)].toFixed(3).padStart(10);
  const goal = GOALS[`${recipe.name} ${items}`].toFixed(1).padStart(10);
  console.log(`${recipe.name.padEnd(10)}${String(items).padStart(8)}${at(0.5)}${at(0.99)}${goal}`);
}

console.log("recipe       items    median       p99      goal   (ms, d = 64, history 50, one thread)");
for (const items of [10_000, 60_000]) {
  measure(als, items, alsArrays(items));
  measure(sasrec, items, sasrecArrays(items));
}
