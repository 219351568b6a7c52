import { ease } from "../knn/ease.ts";
import { slist } from "../knn/slist.ts";
import { popularLately } from "../popularity/popularity.ts";
import type { Recipe } from "../recipe.ts";
import { blend } from "./blend.ts";

/** What goes together, what comes next and what is in fashion err differently; their sum errs less than each. */
export const easeSlist: Recipe = blend("ease-slist", "ease, slist and popular-lately, summed z-scores", [
  { recipe: ease },
  { recipe: slist, unorderedWeight: 0.2 },
  { recipe: popularLately, weight: 0.5, unorderedWeight: 0 },
]);
