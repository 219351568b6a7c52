import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import {
  DEFAULT_TRIALS,
  type EvaluateSplitOptions,
  evaluateSplit,
} from "../../../jobs/training/evaluate-split.ts";
import { splitOrder } from "../../../models/evaluation/split-order.ts";
import { RECIPES, recipeNamed } from "../../../models/phases.ts";
import type { DataOrder, Params } from "../../../models/recipe.ts";
import { type ImportedFile, importFile } from "../../../services/interactions/import/import.ts";
import { jsonObject, wholeNumber } from "../../terminal/arguments.ts";
import { type OutputOptions, print } from "../../terminal/output.ts";
import { progressLine } from "../../terminal/progress.ts";
import { table } from "../../terminal/table.ts";
import { timeLeft } from "../../terminal/time-left.ts";

interface EvaluateOptions extends OutputOptions {
  readonly train: string;
  readonly test: string;
  readonly recipe: string;
  readonly order: DataOrder | "auto";
  readonly minRating?: number;
  readonly params?: Params;
  readonly tune?: boolean;
  readonly trials?: number;
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
    .addOption(
      new Option(
        "--order <kind>",
        "what the test file is: of a later time, each user's last events, or a random part",
      )
        .choices(["auto", "time", "user", "none"])
        .default("auto", "seen from the times of both files"),
    )
    .option("--min-rating <n>", "leave out the rows of both files that are rated lower", Number)
    .option("--params <json>", "parameters of the recipe", jsonObject)
    .option("--tune", "search the other parameters on a validation set carved from the train file")
    .option(
      "--trials <n>",
      "what the search may spend, in trials of full length (default: 30, neural 6)",
      wholeNumber,
    )
    .option("--seed <n>", "seed of everything random", wholeNumber, 1)
    .option("--k <n>", "length of the lists", wholeNumber, 10)
    .option("--json", "print one JSON object and nothing else")
    .action(runEvaluate);
}

async function runEvaluate(options: EvaluateOptions): Promise<void> {
  const recipe = recipeNamed(options.recipe);
  const { seed, k } = options;
  const line = progressLine();
  const train = await importFile(options.train, options);
  const test = await importFile(options.test, options);
  const order = options.order === "auto" ? orderOf(train, test) : options.order;
  const { evaluation, ...rest } = await evaluateSplit({
    recipe,
    train: train.log,
    test: test.log,
    order,
    fixed: options.params ?? {},
    trials: options.tune === true ? (options.trials ?? DEFAULT_TRIALS[recipe.phase]) : 0,
    k,
    seed,
    threads: availableParallelism(),
    onProgress: progressOf((text) => line.update(text)),
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
    ndcgWithHistory: rest.ndcgWithHistory,
    cappedRecall: metrics.cappedRecall,
    gini: metrics.gini,
    novelty: metrics.novelty,
    droppedUsers: evaluation.dropped,
    coldUsers: rest.coldUsers,
    coldTargets: rest.coldTargets,
    order,
    params: rest.params,
    trials: rest.trials,
    choice: rest.choice,
    searchSeconds: rest.searchSeconds,
    fitSeconds: rest.fitSeconds,
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

/** Writes how far a stage is, with the time that it will still take. */
function progressOf(write: (text: string) => void): EvaluateSplitOptions["onProgress"] {
  let stage = "";
  let startMs = 0;
  return (now, { fraction, message }) => {
    if (now !== stage) startMs = performance.now();
    stage = now;
    write(`${message}${timeLeft(fraction, performance.now() - startMs)}`);
  };
}

/** Without times an event has its place in its file only, and places in two files cannot be compared. */
function orderOf(train: ImportedFile, test: ImportedFile): DataOrder {
  return train.timed && test.timed ? splitOrder(train.log, test.log) : "none";
}
