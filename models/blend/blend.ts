import Type, { type TSchema } from "typebox";
import { partOf } from "../long-work.ts";
import type { NamedArrays, Params, Recipe, SearchSpace, TrainingReport } from "../recipe.ts";
import { blendScorers } from "./blend-scorers.ts";

/** One member of a blend, as it is declared. */
export interface BlendMember {
  readonly recipe: Recipe;
  /** Default weight of its z-scores (1). */
  readonly weight?: number;
  /** … where the data has no order in time: what comes next and what is in fashion matter little there. */
  readonly unorderedWeight?: number;
}

/**
 * A recipe made of recipes: it belongs to the highest phase of its members, and everything of a member's is its
 * own under a prefix — parameter `reg` of `slist` is `slist.reg`, array `values` is `slist.values` — plus
 * `slist.weight`, its weight in the sum of z-scores. Members are fitted one after the other with the same seed.
 */
export function blend(name: string, summary: string, members: readonly BlendMember[]): Recipe {
  const recipes = members.map(({ recipe }) => recipe);
  return {
    name,
    phase: recipes.map(({ phase }) => phase).sort()[recipes.length - 1],
    summary,
    schema: Type.Object(Object.fromEntries(members.flatMap(schemaEntries)), { additionalProperties: false }),
    defaults: Object.fromEntries(
      members.flatMap(({ recipe, weight }) =>
        Object.entries({ ...recipe.defaults, weight: weight ?? 1 }).map(under(recipe.name)),
      ),
    ),
    unorderedDefaults: Object.fromEntries(
      members.flatMap(({ recipe, unorderedWeight: weight }) =>
        Object.entries({
          ...recipe.unorderedDefaults,
          ...(weight !== undefined && { weight }),
        }).map(under(recipe.name)),
      ),
    ),
    undatedDefaults: Object.fromEntries(
      recipes.flatMap((recipe) => Object.entries(recipe.undatedDefaults ?? {}).map(under(recipe.name))),
    ),
    space: blendSpace(recipes),
    compressible: Object.fromEntries(
      recipes.flatMap(({ name, compressible }) =>
        Object.entries(compressible ?? {}).map(([array, param]) => [`${name}.${array}`, `${name}.${param}`]),
      ),
    ),
    budget: recipes.flatMap(({ name, budget = [] }) => budget.map((parameter) => `${name}.${parameter}`)),
    levers: recipes.flatMap((recipe) =>
      (recipe.levers ?? []).map((lever) => ({
        name: `${recipe.name}: ${lever.name}`,
        summary: lever.summary,
        off: Object.fromEntries(Object.entries(lever.off).map(under(recipe.name))),
        on: Object.fromEntries(Object.entries(lever.on).map(under(recipe.name))),
      })),
    ),
    async fit(train, params, options) {
      const arrays: Record<string, NamedArrays[string]> = {};
      const reports: TrainingReport[] = [];
      for (const [position, recipe] of recipes.entries()) {
        const fitted = await recipe.fit(train, paramsOf(recipe, params), {
          ...options,
          warmStart: options.warmStart && {
            ...options.warmStart,
            arrays: within(options.warmStart.arrays, recipe.name),
          },
          onProgress: partOf(options.onProgress, {
            name: recipe.name,
            from: position / recipes.length,
            to: (position + 1) / recipes.length,
          }),
        });
        for (const [key, array] of Object.entries(fitted.arrays)) arrays[`${recipe.name}.${key}`] = array;
        reports.push(fitted.report);
      }
      return { arrays, report: longestTraining(reports) };
    },
    scorer(arrays, params) {
      return blendScorers(
        recipes.map((recipe) => ({
          scorer: recipe.scorer(within(arrays, recipe.name), paramsOf(recipe, params)),
          weight: Number(params[`${recipe.name}.weight`]),
          usesHistory: recipe.phase > 1,
        })),
      );
    },
  };
}

const under =
  (recipe: string) =>
  <T>([key, value]: [string, T]): [string, T] => [`${recipe}.${key}`, value];

function schemaEntries({ recipe }: BlendMember): [string, TSchema][] {
  const { properties } = recipe.schema as { readonly properties?: Readonly<Record<string, TSchema>> };
  const weight = Type.Number({ minimum: 0, description: `Weight of ${recipe.name}'s z-scores` });
  return Object.entries<TSchema>({ ...properties, weight }).map(under(recipe.name));
}

/** Only ratios of weights matter to a ranking, so the first member's stays as it is. */
function blendSpace(recipes: readonly Recipe[]): SearchSpace {
  return Object.fromEntries(
    recipes.flatMap((recipe, position) =>
      Object.entries<SearchSpace[string]>({
        ...recipe.space,
        ...(position > 0 && { weight: { kind: "log", low: 0.1, high: 10 } }),
      }).map(under(recipe.name)),
    ),
  );
}

/** The entries of one member, by their own names. */
function within<T>(entries: Readonly<Record<string, T>>, recipe: string): Record<string, T> {
  const prefix = `${recipe}.`;
  return Object.fromEntries(
    Object.entries(entries)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

function paramsOf(recipe: Recipe, params: Params): Params {
  const { weight: _, ...own } = within(params, recipe.name);
  return own;
}

/** The report of the member that trained most epochs, with every engine and any warm start. */
function longestTraining(reports: readonly TrainingReport[]): TrainingReport {
  const longest = reports.reduce((most, report) => (report.epochs > most.epochs ? report : most));
  const warmStart = reports.find((report) => report.warmStart !== undefined)?.warmStart;
  const backend = [...new Set(reports.map((report) => report.backend))].join("+");
  return { ...longest, ...(warmStart !== undefined && { warmStart }), backend };
}
