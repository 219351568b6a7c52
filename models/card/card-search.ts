import type { Trial } from "../artifact/manifest.ts";
import { bestTrial } from "../tuning/best-trial.ts";
import type { ModelCard } from "./card.ts";
import { figure, table } from "./markdown.ts";

/** The search in a model card: why these parameters, then every trial. */
export function searchSection({ trials, choice, params }: ModelCard): string[] {
  if (trials.length === 0) return ["No search: the recipe's defaults, or parameters given by hand."];
  const searched = searchedNames(trials);
  const best = bestTrial(trials);
  const taken = trials.findLast((trial) => searched.every((name) => trial.params[name] === params[name]));
  const failed = trials.filter(({ failure }) => failure !== undefined).length;
  const failures = failed === 0 ? "" : `, ${failed} of which failed`;
  const halved = trials.some(({ budget }) => budget < 1)
    ? " A trial with a share of the budget was fitted with that share of its epochs; the best third went on with more."
    : "";
  return [
    `Chosen after ${trials.length} trials on the validation window${failures}. ${choice?.why ?? ""}${halved}`.trim(),
    table(
      ["trial", ...searched, "budget", "nDCG@10", "seconds", ""],
      trials.map((trial, place) => [
        String(place + 1),
        ...searched.map((name) => setting(trial.params[name])),
        `${Math.round(100 * trial.budget)} %`,
        trial.failure === undefined ? figure(trial.score) : "–",
        trial.seconds.toFixed(1),
        remarks(trial, { start: place === 0, best: trial === best, taken: trial === taken }),
      ]),
    ),
  ];
}

/** Parameters that are not the same in all trials. */
function searchedNames(trials: readonly Trial[]): readonly string[] {
  const [first] = trials;
  return Object.keys(first.params).filter((name) =>
    trials.some(({ params }) => params[name] !== first.params[name]),
  );
}

function remarks(
  { failure }: Trial,
  { start, best, taken }: { readonly start: boolean; readonly best: boolean; readonly taken: boolean },
): string {
  const words = [
    ...(start ? ["start"] : []),
    ...(best ? ["best"] : []),
    ...(taken ? ["**taken**"] : []),
    ...(failure === undefined ? [] : [`failed: ${failure.replaceAll(/\s*[\n|]\s*/g, " ")}`]),
  ];
  return words.join(", ");
}

function setting(value: unknown): string {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : String(value);
}
