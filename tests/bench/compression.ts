/**
 * What int8 item vectors cost in quality and save in bytes: the same fit, stored exactly and rounded, asked the events
 * after the cut. `npm run -s build && node dist/tests/bench/compression.js [--cut .8] [--recipes als,sasrec] [--seeds 1]`
 * with PHASEWISE_DATA.
 */
import { parseArgs } from "node:util";
import { serializeModel } from "../../models/artifact.ts";
import { compressed } from "../../models/compression.ts";
import { cutPosition } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { bootstrapMean } from "../../models/evaluation/bootstrap.ts";
import { pairedDifferences } from "../../models/evaluation/comparison.ts";
import { evaluate } from "../../models/evaluation/evaluate.ts";
import { popularityShares } from "../../models/evaluation/novelty.ts";
import { prequentialRequests } from "../../models/evaluation/requests.ts";
import { signed } from "../../models/evaluation/signed.ts";
import { fitModel, type Model, recommenderOf } from "../../models/model.ts";
import { counts } from "../../models/popularity/counts.ts";
import { importInteractions } from "../../services/interactions/import.ts";

const { values } = parseArgs({
  options: {
    cut: { type: "string", default: "0.8" },
    recipes: { type: "string", default: "als,sasrec" },
    seeds: { type: "string", default: "1" },
    data: { type: "string", default: process.env.PHASEWISE_DATA ?? "" },
  },
});
if (values.data === "") throw new Error("bench compression needs --data DIR or PHASEWISE_DATA");
const LARGE: Readonly<Record<string, string>> = { als: "itemFactors", sasrec: "itemEmbedding" };

const { log, catalogue } = await importInteractions(values.data, { now: Date.now() });
const from = cutPosition(log, Number(values.cut));
const train = trainingSet(log, catalogue, { to: from, minItemInteractions: 5 });
const { items } = train.interactions;
const popularity = popularityShares(counts(train));
for (const seed of values.seeds.split(",").map(Number)) {
  const requests = prequentialRequests(log, { from, recommendable: items, seed });
  const ask = (model: Model) => evaluate(recommenderOf(model), requests, { items, popularity, seed });
  for (const recipe of values.recipes.split(",")) {
    const { model } = await fitModel(recipe, train, {}, { seed });
    const rounded: Model = {
      ...model,
      params: { ...model.params, compression: "int8" },
      arrays: compressed(model.arrays, [LARGE[recipe]]),
    };
    const differences = pairedDifferences(ask(rounded), ask(model)).map(({ difference }) => difference);
    const { mean, low, high } = bootstrapMean(differences, { seed });
    const megabytes = [model, rounded].map((one) => (serializeModel(one).length / 1e6).toFixed(2));
    console.log(
      `${recipe} seed ${seed}: ${megabytes[0]} MB exact, ${megabytes[1]} MB int8; overlap@10 ${overlap(model, rounded).toFixed(4)}; ` +
        `nDCG@10 ${signed(mean, 5)} [${signed(low, 5)}, ${signed(high, 5)}] over ${differences.length} users`,
    );
  }

  function overlap(model: Model, other: Model): number {
    const [one, two] = [model, other].map(recommenderOf);
    let shared = 0;
    for (const { history } of requests.requests) {
      const listed = new Set(one.recommend({ history, k: 10 }).items.map(({ itemId }) => itemId));
      shared += two.recommend({ history, k: 10 }).items.filter(({ itemId }) => listed.has(itemId)).length;
    }
    return shared / (10 * requests.requests.length);
  }
}
