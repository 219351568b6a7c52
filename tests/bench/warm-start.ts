/**
 * What a warm start saves ALS: a version is fitted on the events before `--from`; then a refresh on those before `--cut`,
 * cold and from that version, by sweeps. Quality is that of the events after the cut, at which neither has looked.
 * `npm run -s build && node dist/tests/bench/warm-start.js [--from .7] [--cut .8] [--seeds 1,2,3]` with PHASEWISE_DATA.
 */
import { parseArgs } from "node:util";
import { cutPosition } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { evaluate } from "../../models/evaluation/evaluate.ts";
import { popularityShares } from "../../models/evaluation/novelty.ts";
import { prequentialRequests } from "../../models/evaluation/requests.ts";
import { fitModel, recommenderOf } from "../../models/model.ts";
import { counts } from "../../models/popularity/counts.ts";
import { importInteractions } from "../../services/interactions/import.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "0.7" },
    cut: { type: "string", default: "0.8" },
    seeds: { type: "string", default: "1,2,3" },
    data: { type: "string", default: process.env.PHASEWISE_DATA ?? "" },
  },
});
if (values.data === "") throw new Error("bench warm-start needs --data DIR or PHASEWISE_DATA");

/** Asked for; a warm start takes its share of them. */
const EPOCHS = [2, 4, 7, 10, 14, 20];

const { log, catalogue } = await importInteractions(values.data, { now: Date.now() });
const setUpTo = (share: number) =>
  trainingSet(log, catalogue, { to: cutPosition(log, share), minItemInteractions: 5 });
const earlier = setUpTo(Number(values.from));
const train = setUpTo(Number(values.cut));
const { items } = train.interactions;
const popularity = popularityShares(counts(train));
console.log(
  `als on ${train.interactions.columns.length} events, from a version of ${earlier.interactions.columns.length}`,
);
console.log("seed  start  sweeps   seconds     loss   nDCG@10");
for (const seed of values.seeds.split(",").map(Number)) {
  const requests = prequentialRequests(log, {
    from: cutPosition(log, Number(values.cut)),
    recommendable: items,
    seed,
  });
  const { model: last } = await fitModel("als", earlier, {}, { seed });
  const warm = { version: "earlier", items: last.items, arrays: last.arrays };
  for (const [start, warmStart] of [
    ["cold", undefined],
    ["warm", warm],
  ] as const) {
    for (const epochs of EPOCHS) {
      const begun = performance.now();
      const { model, report } = await fitModel("als", train, { epochs }, { seed, warmStart });
      const seconds = (performance.now() - begun) / 1000;
      const { metrics } = evaluate(recommenderOf(model), requests, { items, popularity, seed });
      const cells = [
        seconds.toFixed(2).padStart(8),
        (report.losses.at(-1) ?? 0).toFixed(4),
        metrics.ndcg.toFixed(4),
      ];
      console.log(
        `${String(seed).padStart(4)}   ${start}  ${String(report.epochs).padStart(6)}  ${cells.join("   ")}`,
      );
    }
  }
}
