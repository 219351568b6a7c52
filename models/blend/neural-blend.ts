import { als } from "../factorization/als.ts";
import { slist } from "../knn/slist.ts";
import { sasrec } from "../neural/sasrec.ts";
import { popularLately } from "../popularity/popularity.ts";
import type { Recipe } from "../recipe.ts";
import { blend } from "./blend.ts";

/** On little data a network alone loses to simpler models; blended with them it adds to what they find. */
export const neuralBlend: Recipe = blend(
  "neural-blend",
  "sasrec, als, slist and popular-lately, summed z-scores",
  [
    { recipe: sasrec },
    { recipe: als },
    { recipe: slist, weight: 0.5, unorderedWeight: 0.2 },
    { recipe: popularLately, weight: 0.25, unorderedWeight: 0 },
  ],
);
