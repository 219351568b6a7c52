/**
 * The ladder's figures under the prequential protocol: every recipe with its defaults, fitted on the events
 * before the cut and asked at later ones, through the share `--to` (so that `--cut .64 --to .8` tunes for the window
 * after .8 without looking at it). `npm run -s bench:ladder -- --cut .8 [--to 1] [--seeds 1,2,3] [--recipes a,b]`
 * with PHASEWISE_DATA naming the data.
 */
import { parseArgs } from "node:util";
import { cutPosition } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { pairedDifferences } from "../../models/evaluation/comparison.ts";
import { type Evaluation, evaluate } from "../../models/evaluation/evaluate.ts";
import { mean, sampleVariance } from "../../models/evaluation/moments.ts";
import { popularityShares } from "../../models/evaluation/novelty.ts";
import { prequentialRequests } from "../../models/evaluation/requests.ts";
import { signed } from "../../models/evaluation/signed.ts";
import { fitModel, recommenderOf } from "../../models/model.ts";
import { RECIPES } from "../../models/phases.ts";
import { counts } from "../../models/popularity/counts.ts";
import { importInteractions } from "../../services/interactions/import/import.ts";

const { values } = parseArgs({
  options: {
    cut: { type: "string", default: "0.8" },
    to: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    recipes: { type: "string", default: RECIPES.map(({ name }) => name).join(",") },
    data: { type: "string", default: process.env.PHASEWISE_DATA ?? "" },
    threads: { type: "string", default: "1" },
  },
});
if (values.data === "") throw new Error("bench:ladder needs --data DIR or PHASEWISE_DATA");

const { log, catalogue } = await importInteractions(values.data, { now: Date.now() });
const from = cutPosition(log, Number(values.cut));
const to = Math.round(log.timestamps.length * Number(values.to));
const train = trainingSet(log, catalogue, { to: from, minItemInteractions: 5 });
const { items } = train.interactions;
console.log(`cut ${values.cut}: ${from} events train, ${items.size} items with 5 or more`);
console.log(
  "recipe            seed  users  nDCG@10 [95 %]            vs popularity (t)   coverage   fit s   ms/request",
);

for (const seed of values.seeds.split(",").map(Number)) {
  const requests = prequentialRequests(log, { from, to, recommendable: items, seed });
  let floor: Evaluation | undefined;
  for (const recipe of values.recipes.split(",")) {
    const start = performance.now();
    const { model } = await fitModel(recipe, train, {}, { seed, threads: Number(values.threads) });
    const fitSeconds = (performance.now() - start) / 1000;
    const askStart = performance.now();
    const evaluation = evaluate(recommenderOf(model), requests, {
      catalogue,
      items,
      popularity: popularityShares(counts(train)),
      seed,
    });
    const msPerRequest = (performance.now() - askStart) / requests.requests.length;
    floor ??= evaluation;
    const { ndcg, metrics } = evaluation;
    console.log(
      [
        recipe.padEnd(16),
        String(seed).padStart(5),
        String(evaluation.users).padStart(6),
        `  ${ndcg.mean.toFixed(4)} [${ndcg.low.toFixed(4)}, ${ndcg.high.toFixed(4)}]`,
        `  ${liftOver(evaluation, floor)}`.padEnd(22),
        `${(metrics.coverage * 100).toFixed(1)} %`.padStart(8),
        fitSeconds.toFixed(1).padStart(8),
        msPerRequest.toFixed(2).padStart(9),
      ].join(" "),
    );
  }
}

/** Mean paired difference a user and its t value. */
function liftOver(evaluation: Evaluation, floor: Evaluation): string {
  const differences = pairedDifferences(evaluation, floor).map(({ difference }) => difference);
  const lift = mean(differences);
  const variance = sampleVariance(differences);
  const t = variance === 0 ? 0 : lift / Math.sqrt(variance / differences.length);
  return `${signed(lift)} (${t.toFixed(1)})`;
}
