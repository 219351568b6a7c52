/**
 * What int8 item vectors cost in quality and save in bytes: the same fit, kept exactly and rounded, asked the events
 * after the cut. `npm run -s build && node dist/tests/bench/compression.js [--cut .8] [--to 1] [--recipes als,sasrec]
 * [--seeds 1]` with PHASEWISE_DATA. The model card of a compressed version has the same figures, from its holdout.
 */
import { parseArgs } from "node:util";
import { serializeModel } from "../../models/artifact/artifact.ts";
import { compressionLoss } from "../../models/artifact/compression-loss.ts";
import { cutPosition } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { prequentialRequests } from "../../models/evaluation/requests.ts";
import { signed } from "../../models/evaluation/signed.ts";
import { fitModel } from "../../models/model.ts";
import { recipeNamed } from "../../models/phases.ts";
import { importInteractions } from "../../services/interactions/import/import.ts";

const { values } = parseArgs({
  options: {
    cut: { type: "string", default: "0.8" },
    to: { type: "string", default: "1" },
    recipes: { type: "string", default: "als,sasrec" },
    seeds: { type: "string", default: "1" },
    data: { type: "string", default: process.env.PHASEWISE_DATA ?? "" },
  },
});
if (values.data === "") throw new Error("bench compression needs --data DIR or PHASEWISE_DATA");

const { log, catalogue } = await importInteractions(values.data, { now: Date.now() });
const from = cutPosition(log, Number(values.cut));
const to = Math.round(log.timestamps.length * Number(values.to));
const train = trainingSet(log, catalogue, { to: from, minItemInteractions: 5 });
for (const seed of values.seeds.split(",").map(Number)) {
  const recommendable = train.interactions.items;
  const requests = prequentialRequests(log, { from, to, recommendable, seed });
  for (const recipe of values.recipes.split(",")) {
    const switches = Object.values(recipeNamed(recipe).compressible ?? {});
    const params = Object.fromEntries(switches.map((name) => [name, "int8"]));
    const { model: compressed, exact } = await fitModel(recipe, train, params, { seed });
    if (exact === undefined) throw new Error(`bench compression: ${recipe} has nothing to compress`);
    const { overlap, ndcg, users } = compressionLoss({ compressed, exact }, requests, { k: 10, seed });
    const [whole, small] = [exact, compressed].map((one) => (serializeModel(one).length / 1e6).toFixed(2));
    console.log(
      `${recipe} seed ${seed}: ${whole} MB exact, ${small} MB int8; overlap@10 ${overlap.mean.toFixed(4)} ` +
        `[${overlap.low.toFixed(4)}, ${overlap.high.toFixed(4)}]; ` +
        `nDCG@10 ${signed(ndcg.mean, 5)} [${signed(ndcg.low, 5)}, ${signed(ndcg.high, 5)}] over ${users} users`,
    );
  }
}
