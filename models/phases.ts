import { easeSlist } from "./blend/ease-slist.ts";
import { neuralBlend } from "./blend/neural-blend.ts";
import { slistAls } from "./blend/slist-als.ts";
import { als } from "./factorization/als.ts";
import { importedRecipe, isImported } from "./factorization/imported.ts";
import { ease } from "./knn/ease.ts";
import { itemKnn } from "./knn/item-knn.ts";
import { sequenceKnn } from "./knn/sequence-knn.ts";
import { slist } from "./knn/slist.ts";
import { sasrec } from "./neural/sasrec.ts";
import { popularity, popularLately } from "./popularity/popularity.ts";
import type { Phase, Recipe } from "./recipe.ts";
import { isRemote, remoteRecipe } from "./remote/remote.ts";

export interface PhaseInfo {
  readonly phase: Phase;
  readonly name: string;
  readonly summary: string;
}

/** The ladder, lowest rung first. */
export const PHASES: readonly PhaseInfo[] = [
  { phase: 1, name: "popularity", summary: "heuristics, no learning" },
  { phase: 2, name: "knn", summary: "the simplest model that learns: neighbours" },
  { phase: 3, name: "factorization", summary: "the simple model, tuned as far as it goes" },
  { phase: 4, name: "neural", summary: "a complex model, only when evidence pays for it" },
];

const recipes: Recipe[] = [
  popularity,
  popularLately,
  itemKnn,
  ease,
  slist,
  sequenceKnn,
  easeSlist,
  als,
  slistAls,
  neuralBlend,
  sasrec,
];

/** Every recipe that can be trained, by phase; the first of a phase is its default. Imported and remote ones are not among them. */
export const RECIPES: readonly Recipe[] = recipes;

/** Adds a recipe to the ladder of this process, behind the others of its phase; the function it returns takes it out. */
export function registerRecipe(recipe: Recipe): () => void {
  if (isImported(recipe.name) || isRemote(recipe.name) || recipes.some(({ name }) => name === recipe.name)) {
    throw new RangeError(`recipe: expected a name that is free, got "${recipe.name}"; choose another`);
  }
  recipes.push(recipe);
  return () => {
    const place = recipes.indexOf(recipe);
    if (place >= 0) recipes.splice(place, 1);
  };
}

export function recipeNamed(name: string): Recipe {
  if (isImported(name)) return importedRecipe(name);
  if (isRemote(name)) return remoteRecipe(name);
  const recipe = RECIPES.find((candidate) => candidate.name === name);
  if (recipe === undefined) {
    const known = RECIPES.map((candidate) => candidate.name).join(", ");
    throw new RangeError(`recipe: expected one of ${known}; got "${name}"`);
  }
  return recipe;
}

/** The recipe a phase trains when none is named. */
export function defaultRecipe(phase: Phase): Recipe {
  const recipe = RECIPES.find((candidate) => candidate.phase === phase);
  if (recipe === undefined) throw new RangeError(`phase ${phase} holds no recipe`);
  return recipe;
}
