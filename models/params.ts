import { Errors } from "typebox/value";
import type { DataOrder, Params, Recipe } from "./recipe.ts";

/** Parameters that a recipe cannot take: every wrong field, what was expected and what was got. */
export class ParamsError extends Error {
  readonly problems: readonly string[];

  constructor(recipe: string, problems: readonly string[]) {
    super(`${recipe}: ${problems.join("; ")}`);
    this.name = "ParamsError";
    this.problems = problems;
  }
}

/** What stands in for some of the recipe's defaults where the data is ordered like that. */
export function defaultsUnder(order: DataOrder, recipe: Recipe): Params {
  if (order === "time") return {};
  return (order === "user" ? recipe.undatedDefaults : recipe.unorderedDefaults) ?? {};
}

/** The recipe's defaults overlaid with what was given. @throws ParamsError */
export function checkedParams(recipe: Recipe, given: Params): Params {
  const params = { ...recipe.defaults, ...given };
  const known = Object.keys(recipe.defaults);
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  const problems = unknown.map((name) => `${name}: expected one of ${known.join(", ") || "no parameters"}`);
  for (const error of unknown.length > 0 ? [] : Errors(recipe.schema, params)) {
    const name = error.instancePath.slice(1);
    problems.push(`${name || "params"}: ${error.message}, got ${JSON.stringify(params[name])}`);
  }
  if (problems.length > 0) throw new ParamsError(recipe.name, problems);
  return params;
}
