import { als } from "../factorization/als.ts";
import { slist } from "../knn/slist.ts";
import { popularLately } from "../popularity/popularity.ts";
import type { Recipe } from "../recipe.ts";
import { blend } from "./blend.ts";

/** A factorization generalizes where a sequence model has seen too little; summed they beat both. */
export const slistAls: Recipe = blend("slist-als", "als, slist and popular-lately, summed z-scores", [
  { recipe: als },
  { recipe: slist, weight: 0.5, unorderedWeight: 0.2 },
  { recipe: popularLately, weight: 0.25, unorderedWeight: 0 },
]);
