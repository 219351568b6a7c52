/**
 * What a warm start saves: a version is fitted on the events before `--from`; then a refresh on those before `--cut`,
 * cold and from that version, by the epochs asked for. Quality is that of the events after the cut, through the share
 * `--to`, at which neither has looked; the lift is over a cold start with the recipe's default epochs, paired by user.
 * Last come the means over the seeds. With PHASEWISE_DATA, after `npm run -s build`:
 * `node dist/tests/bench/warm-start.js [--recipe als|sasrec|neural-blend] [--from .7] [--cut .8] [--to 1]
 * [--seeds 1,2,3] [--epochs 10,20]`
 */
import { parseArgs } from "node:util";
import { cutPosition } from "../../models/data/interaction-log.ts";
import { trainingSet } from "../../models/data/interaction-matrix.ts";
import { bootstrapMean } from "../../models/evaluation/bootstrap.ts";
import { pairedDifferences } from "../../models/evaluation/comparison.ts";
import { type Evaluation, evaluate } from "../../models/evaluation/evaluate.ts";
import { popularityShares } from "../../models/evaluation/novelty.ts";
import { prequentialRequests } from "../../models/evaluation/requests.ts";
import { signed } from "../../models/evaluation/signed.ts";
import { fitModel, recommenderOf } from "../../models/model.ts";
import { recipeNamed } from "../../models/phases.ts";
import { counts } from "../../models/popularity/counts.ts";
import type { Params, WarmStart } from "../../models/recipe.ts";
import { importInteractions } from "../../services/interactions/import/import.ts";

const { values } = parseArgs({
  options: {
    recipe: { type: "string", default: "als" },
    from: { type: "string", default: "0.7" },
    cut: { type: "string", default: "0.8" },
    to: { type: "string", default: "1" },
    seeds: { type: "string", default: "1,2,3" },
    epochs: { type: "string", default: "2,4,7,10,14,20" },
    data: { type: "string", default: process.env.PHASEWISE_DATA ?? "" },
  },
});
if (values.data === "") throw new Error("bench warm-start needs --data DIR or PHASEWISE_DATA");

const { log, catalogue } = await importInteractions(values.data, { now: Date.now() });
const setUpTo = (share: number) =>
  trainingSet(log, catalogue, { to: cutPosition(log, share), minItemInteractions: 5 });
const earlier = setUpTo(Number(values.from));
const train = setUpTo(Number(values.cut));
const { items } = train.interactions;
const popularity = popularityShares(counts(train));
const { name, defaults } = recipeNamed(values.recipe);

/** Parameters of the recipe, or of the members of a blend, that say how long to train. A warm start takes its share. */
const epochNames = Object.keys(defaults).filter((key) => /(^|\.)epochs$/.test(key));
const asking = (epochs: number): Params => Object.fromEntries(epochNames.map((key) => [key, epochs]));

interface Run {
  readonly start: "cold" | "warm";
  readonly asked: number | null;
  readonly seconds: number;
  readonly evaluation: Evaluation;
  readonly reference: Evaluation;
}
const runs: Run[] = [];

console.log(
  `${name} on ${train.interactions.columns.length} events, from a version of ${earlier.interactions.columns.length}; asked through ${values.to}`,
);
console.log("seed  start    asked   epochs   CPU s   last loss   nDCG@10   lift over a cold start as usual");
for (const seed of values.seeds.split(",").map(Number)) {
  const requests = prequentialRequests(log, {
    from: cutPosition(log, Number(values.cut)),
    to: Math.round(log.timestamps.length * Number(values.to)),
    recommendable: items,
    seed,
  });
  const { model: last } = await fitModel(name, earlier, {}, { seed });
  const warm: WarmStart = { version: "earlier", items: last.items, arrays: last.arrays };
  let reference: Evaluation | undefined;
  for (const start of ["cold", "warm"] as const) {
    for (const asked of [null, ...values.epochs.split(",").map(Number)]) {
      const cpu = process.cpuUsage();
      const { model, report } = await fitModel(name, train, asked === null ? {} : asking(asked), {
        seed,
        warmStart: start === "warm" ? warm : undefined,
      });
      const { user, system } = process.cpuUsage(cpu);
      const seconds = (user + system) / 1e6;
      const evaluation = evaluate(recommenderOf(model), requests, { items, popularity, seed });
      reference ??= evaluation;
      runs.push({ start, asked, seconds, evaluation, reference });
      console.log(
        [
          String(seed).padStart(4),
          start,
          (asked ?? "usual").toString().padStart(7),
          String(report.epochs).padStart(7),
          seconds.toFixed(1).padStart(6),
          (report.losses.at(-1) ?? 0).toFixed(4).padStart(9),
          evaluation.ndcg.mean.toFixed(4).padStart(8),
          lift([{ evaluation, reference }]),
        ].join("  "),
      );
    }
  }
}

for (const start of ["cold", "warm"] as const) {
  for (const asked of new Set(runs.map((run) => run.asked))) {
    const same = runs.filter((run) => run.start === start && run.asked === asked);
    const average = (figure: (run: Run) => number): number =>
      same.reduce((sum, run) => sum + figure(run), 0) / same.length;
    console.log(
      `mean  ${start}  ${(asked ?? "usual").toString().padStart(7)}           ${average((run) => run.seconds)
        .toFixed(1)
        .padStart(6)}             ${average((run) => run.evaluation.ndcg.mean).toFixed(4)}  ${lift(same)}`,
    );
  }
}

/** The paired difference of each user, averaged over seeds. */
function lift(pairs: readonly Pick<Run, "evaluation" | "reference">[]): string {
  const byUser = new Map<string, number>();
  for (const { evaluation, reference } of pairs) {
    for (const { user, difference } of pairedDifferences(evaluation, reference)) {
      byUser.set(user, (byUser.get(user) ?? 0) + difference / pairs.length);
    }
  }
  const { mean, low, high } = bootstrapMean([...byUser.values()], { seed: 1 });
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
}
