import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { unsearched } from "../../../jobs/tune.ts";
import { tuneOnTrain } from "../../../jobs/tune-on-train.ts";
import type { InteractionLog } from "../../../models/data/interaction-log.ts";
import { trainingSet } from "../../../models/data/interaction-matrix.ts";
import { evaluate } from "../../../models/evaluation/evaluate.ts";
import { popularityShares } from "../../../models/evaluation/novelty.ts";
import { splitRequests } from "../../../models/evaluation/requests.ts";
import { fitModel, recommenderOf } from "../../../models/model.ts";
import { checkedParams } from "../../../models/params.ts";
import { RECIPES, recipeNamed } from "../../../models/phases.ts";
import { counts } from "../../../models/popularity/counts.ts";
import type { Params } from "../../../models/recipe.ts";
import { importFile } from "../../../services/interactions/import.ts";
import { type OutputOptions, print, progressLine, table } from "../output.ts";
import { jsonObject, wholeNumber } from "./train.ts";

interface EvaluateOptions extends OutputOptions {
  readonly train: string;
  readonly test: string;
  readonly recipe: string;
  readonly params?: Params;
  readonly tune?: boolean;
  readonly trials: number;
  readonly seed: number;
  readonly k: number;
}

export function evaluateVerb(program: Command): void {
  program
    .command("evaluate")
    .description("fit a recipe on one file and score it on another, as published tables are made")
    .requiredOption("--train <file>", "userId,itemId[,rating][,timestamp], with or without a header")
    .requiredOption("--test <file>", "the same columns; each of its users asks once")
    .requiredOption("--recipe <name>", `one of ${RECIPES.map(({ name }) => name).join(", ")}`)
    .option("--params <json>", "parameters of the recipe", jsonObject)
    .option("--tune", "search the other parameters on a validation set carved from the train file")
    .option("--trials <n>", "what the search may spend, in trials of full length", wholeNumber, 30)
    .option("--seed <n>", "seed of everything random", wholeNumber, 1)
    .option("--k <n>", "length of the lists", wholeNumber, 10)
    .option("--json", "print one JSON object and nothing else")
    .action(runEvaluate);
}

async function runEvaluate(options: EvaluateOptions): Promise<void> {
  const recipe = recipeNamed(options.recipe);
  const { seed, k } = options;
  const threads = availableParallelism();
  const line = progressLine();
  const train = await importFile(options.train);
  const test = await importFile(options.test);
  const ordered = isLater(test, train);
  // Without order between train and test, the order of a history is no information either.
  const base = checkedParams(recipe, {
    ...(ordered ? {} : recipe.unorderedDefaults),
    ...options.params,
  });
  const search =
    options.tune === true
      ? await tuneOnTrain({
          recipe,
          base,
          fixed: options.params ?? {},
          log: train,
          ordered,
          trials: options.trials,
          seed,
          threads,
          onProgress: ({ message }) => line.update(message),
        })
      : unsearched(base);

  const start = performance.now();
  const set = trainingSet(train, new Map());
  const { model } = await fitModel(recipe.name, set, search.params, {
    seed,
    threads,
    onProgress: ({ message }) => line.update(message),
  });
  const fitSeconds = (performance.now() - start) / 1000;
  const requests = splitRequests(train, test);
  const evaluation = evaluate(recommenderOf(model), requests, {
    k,
    items: set.interactions.items,
    popularity: popularityShares(counts(set)),
    seed,
  });
  const { metrics } = evaluation;
  const result = {
    recipe: recipe.name,
    k,
    users: evaluation.users,
    ndcg: metrics.ndcg,
    map: metrics.map,
    precision: metrics.precision,
    recall: metrics.recall,
    hitRate: metrics.hitRate,
    mrr: metrics.mrr,
    coverage: metrics.coverage,
    ndcgInterval: [evaluation.ndcg.low, evaluation.ndcg.high],
    cappedRecall: metrics.cappedRecall,
    gini: metrics.gini,
    novelty: metrics.novelty,
    droppedUsers: evaluation.dropped,
    coldUsers: requests.coldUsers,
    coldTargets: requests.coldTargets,
    order: ordered ? "time" : "none",
    params: search.params,
    trials: search.trials.length,
    choice: search.choice?.why ?? null,
    searchSeconds: search.seconds,
    fitSeconds,
    seed,
  };
  print(result, options, () =>
    table(
      ["metric", `@${k}`],
      Object.entries(result).map(([name, value]) => [
        name,
        typeof value === "number" ? String(Math.round(value * 1e5) / 1e5) : JSON.stringify(value),
      ]),
    ),
  );
}

/** Whether the test file comes after the train file in time; a random split, or one without times, does not. */
function isLater(test: InteractionLog, train: InteractionLog): boolean {
  const lastTrain = train.timestamps[train.timestamps.length - 1];
  const firstTest = test.timestamps[0];
  return firstTest >= lastTrain && lastTrain > train.timestamps[0];
}
