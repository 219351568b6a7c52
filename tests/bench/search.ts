/**
 * What successive halving is worth: the same search of a recipe's space with every trial in full and with halving, at the
 * same budget in trials of full length, on the training side of `--cut` alone: within it the first events train, the next
 * are the validation window that the search looks at, and the last judge what it took ("later"). By seed, then paired.
 * `npm run -s bench:search -- [--recipe als] [--trials 20] [--seeds 1,2,3] [--smallest 1,.3333]` with PHASEWISE_DATA.
 */
import { parseArgs } from "node:util";
import { splitByTime, splitTerms } from "../../jobs/data/training-data.ts";
import { fitAndScore } from "../../jobs/training/fit-and-score.ts";
import { searchInProcess } from "../../jobs/training/search-in-process.ts";
import { cutPosition } from "../../models/data/interaction-log.ts";
import { sliceLog } from "../../models/data/slice.ts";
import { mean, sampleVariance } from "../../models/evaluation/moments.ts";
import { signed } from "../../models/evaluation/signed.ts";
import { DEFAULT_POLICY } from "../../models/gate/policy.ts";
import { recipeNamed } from "../../models/phases.ts";
import { bestTrial } from "../../models/tuning/best-trial.ts";
import { importInteractions } from "../../services/interactions/import/import.ts";

const { values } = parseArgs({
  options: {
    recipe: { type: "string", default: "als" },
    trials: { type: "string", default: String(DEFAULT_POLICY.training.trials) },
    round: { type: "string", default: String(DEFAULT_POLICY.training.trialsAtOnce) },
    seeds: { type: "string", default: "1,2,3" },
    smallest: { type: "string", default: `1,${1 / 3}` },
    cut: { type: "string", default: "0.6" },
    params: { type: "string", default: "{}" },
    data: { type: "string", default: process.env.PHASEWISE_DATA ?? "" },
  },
});
if (values.data === "") throw new Error("bench:search needs --data DIR or PHASEWISE_DATA");

const recipe = recipeNamed(values.recipe);
const base = { ...recipe.defaults, ...JSON.parse(values.params) };
const arms = values.smallest.split(",").map(Number);
const { log, catalogue } = await importInteractions(values.data, { now: Date.now() });
const past = sliceLog(log, 0, cutPosition(log, Number(values.cut)));

interface Outcome {
  readonly best: number;
  readonly later: number;
  /** Of the search, on the CPU: other work on the machine does not count. */
  readonly seconds: number;
}
const outcomes = new Map<number, Outcome[]>(arms.map((arm) => [arm, []]));
console.log(
  `${recipe.name}, the first ${past.timestamps.length} events, ${values.trials} trials of full length`,
);
console.log("seed  smallest  trials  in full  spent  best nDCG@10  taken  later nDCG@10    CPU s");
const { tuning, holdout } = splitByTime({ log: past, catalogue }, splitTerms(DEFAULT_POLICY));
for (const seed of values.seeds.split(",").map(Number)) {
  for (const smallestBudget of arms) {
    const begun = process.cpuUsage();
    const { params, trials, choice } = await searchInProcess({
      recipe,
      base,
      space: recipe.space,
      split: tuning,
      trials: Number(values.trials),
      roundSize: Number(values.round),
      smallestBudget,
      seed,
    });
    const { user, system } = process.cpuUsage(begun);
    const seconds = (user + system) / 1e6;
    const judged = await fitAndScore(recipe.name, holdout, { params, seed }, {});
    const best = bestTrial(trials)?.score ?? 0;
    const later = "failure" in judged ? 0 : judged.evaluation.metrics.ndcg;
    outcomes.get(smallestBudget)?.push({ best, later, seconds });
    const spent = trials.reduce((sum, { budget }) => sum + budget, 0);
    console.log(
      [
        String(seed).padStart(4),
        smallestBudget.toFixed(2).padStart(9),
        String(trials.length).padStart(7),
        String(trials.filter(({ budget }) => budget === 1).length).padStart(8),
        spent.toFixed(1).padStart(6),
        best.toFixed(4).padStart(13),
        (choice?.took ?? "start").padStart(6),
        later.toFixed(4).padStart(14),
        seconds.toFixed(1).padStart(8),
      ].join(" "),
    );
  }
}

const [whole, ...halved] = arms;
const reference = outcomes.get(whole) ?? [];
for (const arm of halved) {
  const cells = (["best", "later"] as const).map((figure) => {
    const differences = (outcomes.get(arm) ?? []).map(
      (outcome, index) => outcome[figure] - reference[index][figure],
    );
    const error =
      differences.length < 2 ? Number.NaN : Math.sqrt(sampleVariance(differences) / differences.length);
    return `${figure} nDCG@10 ${signed(mean(differences))} ± ${error.toFixed(4)}`;
  });
  const seconds = (of: readonly Outcome[]): number => of.reduce((sum, outcome) => sum + outcome.seconds, 0);
  const share = seconds(outcomes.get(arm) ?? []) / seconds(reference);
  console.log(
    `smallest ${arm.toFixed(2)} against ${whole.toFixed(2)}: ${cells.join(", ")} (standard error over seeds), ${share.toFixed(2)} × the CPU seconds`,
  );
}
