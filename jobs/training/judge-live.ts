import { withFloorOf } from "../../models/exchange/import-factors.ts";
import { isImported } from "../../models/factorization/imported.ts";
import type { FitOptions } from "../../models/recipe.ts";
import type { StoredEvaluation } from "../../services/evaluations/evaluations.ts";
import type { JobContext } from "../context.ts";
import type { Split } from "../data/training-data.ts";
import { holdoutEvaluation, judgeOn } from "./holdout.ts";

/**
 * Makes sure that the live version was evaluated on this holdout: a challenger is compared with it, user by user.
 * Null when nothing is live.
 */
export async function judgeLive(
  context: JobContext,
  dataSha256: string,
  holdout: Split,
  options: Omit<FitOptions, "seed">,
): Promise<StoredEvaluation | null> {
  const live = await context.registry.live();
  if (live === null) return null;
  const { manifest } = await context.artifacts.manifest(live.version);
  const { recipe, params, seed, imported } = manifest;
  const key = { dataSha256, recipe, params, seed };
  if (!isImported(recipe)) return await holdoutEvaluation(context.evaluations, key, () => holdout, options);
  // It cannot be trained on the past of this holdout: it answers as it is, and the screen looks at how much it may know.
  const known = await context.evaluations.get(key);
  if (known !== null) return known;
  const { model } = await context.artifacts.load(live.version);
  const declared = imported?.trainedThrough ?? null;
  const trainedThrough = declared === null ? context.now() : Date.parse(declared);
  const judged = judgeOn(holdout, { model: withFloorOf(model, holdout.train) }, seed, trainedThrough);
  await context.evaluations.put(key, judged);
  return judged;
}
