/**
 * Trains `sasrec` with each backend of TensorFlow.js that loads here, from the same seeds on the events before the cut,
 * and asks the events after it: what a step and a fit take, and whether the backends give one quality. A backend that
 * does not load is named with the reason. With PHASEWISE_DATA; without it only the steps are timed:
 * `npm run -s bench:backends [-- --cut .8 --to 1 --seeds 1,2,3 --params '{"epochs":5}']`
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { cutPosition } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { bootstrapMean } from "../../models/evaluation/bootstrap.ts";
import { pairedDifferences } from "../../models/evaluation/comparison.ts";
import { type Evaluation, evaluate } from "../../models/evaluation/evaluate.ts";
import { popularityShares } from "../../models/evaluation/novelty.ts";
import { prequentialRequests } from "../../models/evaluation/requests.ts";
import { signed } from "../../models/evaluation/signed.ts";
import { type Model, recommenderOf } from "../../models/model.ts";
import { type Backend, type Engine, loadBackend } from "../../models/neural/backend.ts";
import { sasrec, sasrecOn } from "../../models/neural/sasrec.ts";
import { counts } from "../../models/popularity/counts.ts";
import { importInteractions } from "../../services/interactions/import/import.ts";
import { stepDuration } from "./training-step.ts";

const { values } = parseArgs({
  options: {
    cut: { type: "string", default: "0.8" },
    to: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    threads: { type: "string", default: String(availableParallelism()) },
    params: { type: "string", default: "{}" },
    data: { type: "string", default: process.env.PHASEWISE_DATA ?? "" },
  },
});

const engines: Engine[] = [];
for (const engine of ["native", "wasm"] as const) {
  let backend: Backend;
  try {
    backend = await loadBackend(engine, Number(values.threads));
  } catch (error) {
    console.log(`${engine}: does not load here. ${(error as Error).message}`);
    continue;
  }
  engines.push(engine);
  const { wallMs, cpuMs } = stepDuration(backend, { windows: 128, length: 50, items: 3700, negatives: 512 });
  console.log(
    `${engine}: a step of batch 128, length 50, d 64, 3700 items, 512 negatives takes ${wallMs.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms CPU`,
  );
}
if (values.data !== "") await compareQuality(values.data);

async function compareQuality(folder: string): Promise<void> {
  const { log, catalogue } = await importInteractions(folder, { now: Date.now() });
  const from = cutPosition(log, Number(values.cut));
  const to = Math.round(log.timestamps.length * Number(values.to));
  const train = trainingSet(log, catalogue, { to: from, minItemInteractions: 5 });
  const { items } = train.interactions;
  const popularity = popularityShares(counts(train));
  const params = { ...sasrec.defaults, ...JSON.parse(values.params) };
  console.log(`cut ${values.cut} to ${values.to}: ${from} events, ${items.size} items`);
  console.log("seed  backend      nDCG@10    seconds    CPU s    epochs");
  /** Per user, native − wasm, summed over seeds. */
  const summed = new Map<string, number>();
  const seeds = values.seeds.split(",").map(Number);
  for (const seed of seeds) {
    const requests = prequentialRequests(log, { from, to, recommendable: items, seed });
    const evaluations: Evaluation[] = [];
    for (const engine of engines) {
      const cpu = process.cpuUsage();
      const begun = performance.now();
      const { arrays, report } = await sasrecOn(engine).fit(train, params, { seed });
      const seconds = (performance.now() - begun) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      const floor = new Float32Array(items.size);
      const model: Model = { phase: 4, recipe: "sasrec", params, seed, items, floor, arrays };
      const evaluation = evaluate(recommenderOf(model), requests, { items, popularity, seed });
      evaluations.push(evaluation);
      console.log(
        [
          String(seed).padStart(4),
          report.backend.padEnd(11),
          evaluation.ndcg.mean.toFixed(4).padStart(8),
          seconds.toFixed(1).padStart(9),
          ((user + system) / 1e6).toFixed(1).padStart(7),
          String(report.epochs).padStart(8),
        ].join("  "),
      );
    }
    if (evaluations.length < 2) continue;
    for (const { user, difference } of pairedDifferences(evaluations[0], evaluations[1])) {
      summed.set(user, (summed.get(user) ?? 0) + difference);
    }
  }
  if (summed.size === 0) {
    console.log("one backend alone: there is nothing to compare it with");
    return;
  }
  const differences = [...summed.values()].map((sum) => sum / seeds.length);
  const { mean, low, high } = bootstrapMean(differences, { seed: 1 });
  console.log(
    `native − wasm: nDCG@10 ${signed(mean)} [${signed(low)}, ${signed(high)}], paired over ${differences.length} users, ${seeds.length} seeds`,
  );
}
