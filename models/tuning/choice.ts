import type { Choice, Trial } from "../artifact/manifest.ts";
import { canonicalJson } from "../canonical-json.ts";
import { mean, sampleVariance } from "../evaluation/moments.ts";
import { signed } from "../evaluation/signed.ts";
import { bestTrial } from "./best-trial.ts";

/** A trial, and the nDCG@10 of each user of the validation window under it, in the same order for all trials. */
export type PerUser = (trial: Trial) => Promise<readonly number[]> | readonly number[];

/**
 * The one-standard-error rule: the best of many trials on few users is best by luck as often as not, so it
 * replaces the starting point, which is the first trial, only when it leads by more than one standard error of the
 * paired difference.
 * Source: Breiman et al., Classification and Regression Trees, 1984, section 3.4.3.
 * @throws RangeError when every trial failed
 */
export async function choose(trials: readonly Trial[], perUser: PerUser): Promise<[Trial, Choice]> {
  const best = bestTrial(trials);
  if (best === null) {
    throw new RangeError(
      `search: expected a trial that can be fitted, but all ${trials.length} failed, the first with: ${trials[0]?.failure}`,
    );
  }
  const [first] = trials;
  const asStarted = canonicalJson(first.params);
  const start = trials.findLast(
    ({ params, failure }) => failure === undefined && canonicalJson(params) === asStarted,
  );
  if (start === undefined || start.budget < best.budget) {
    const why = `The starting parameters have no score to compare with: ${first.failure ?? "too few trials"}.`;
    return [best, { took: "best", lead: null, why }];
  }
  if (best === start) {
    return [start, { took: "start", lead: null, why: "No trial did better than the starting parameters." }];
  }
  const lead = pairedLead(await perUser(best), await perUser(start));
  if (lead === null) {
    const why = "The best trial cannot be told from the starting parameters: too few users to pair.";
    return [start, { took: "start", lead, why }];
  }
  const [by, error] = [signed(lead.mean), lead.standardError.toFixed(4)];
  const measured = `nDCG@10 on the validation window, standard error ${error} paired over ${lead.users} users`;
  return lead.mean > lead.standardError
    ? [
        best,
        { took: "best", lead, why: `The best trial leads the starting parameters by ${by} (${measured}).` },
      ]
    : [
        start,
        {
          took: "start",
          lead,
          why: `The best trial leads the starting parameters by ${by} only, no more than one standard error (${measured}): it may be luck, so the starting parameters stay.`,
        },
      ];
}

function pairedLead(best: readonly number[], start: readonly number[]): Choice["lead"] {
  const users = best.length;
  if (users < 2 || users !== start.length) return null;
  const differences = best.map((score, user) => score - start[user]);
  return { mean: mean(differences), standardError: Math.sqrt(sampleVariance(differences) / users), users };
}
