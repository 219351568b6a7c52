import { blend } from "../blend/blend.ts";
import { itemKnn } from "../knn/item-knn.ts";
import { slist } from "../knn/slist.ts";
import type { Recipe } from "../recipe.ts";
import { sasrec } from "./sasrec.ts";

/** On little data a network alone loses to its elders; as one voice among them it adds. */
export const neuralBlend: Recipe = blend("neural-blend", "sasrec, slist and item-knn, summed z-scores", [
  { recipe: sasrec as unknown as Recipe },
  { recipe: slist },
  { recipe: itemKnn },
]);
