import { als } from "../factorization/als.ts";
import { slist } from "../knn/slist.ts";
import type { Recipe } from "../recipe.ts";
import { blend } from "./blend.ts";

/** A factorization generalizes where a sequence model has seen too little; summed they beat both. */
export const slistAls: Recipe = blend("slist-als", "slist and als, summed z-scores", [
  { recipe: slist },
  { recipe: als as unknown as Recipe },
]);
