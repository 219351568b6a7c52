import { itemKnn } from "../knn/item-knn.ts";
import { slist } from "../knn/slist.ts";
import { popularLately } from "../popularity/popularity.ts";
import type { Recipe } from "../recipe.ts";
import { blend } from "./blend.ts";

/** What comes next, what goes together and what is in fashion err differently; their sum errs less than each. */
export const slistKnn: Recipe = blend("slist-knn", "slist, item-knn and popular-lately, summed z-scores", [
  { recipe: slist },
  { recipe: itemKnn },
  { recipe: popularLately, weight: 0.5, params: { halfLifeDays: 60 } },
]);
