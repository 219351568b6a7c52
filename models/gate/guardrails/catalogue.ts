import { seededRandom } from "../../data/random.ts";
import { bootstrapRatio, quantile } from "../../evaluation/bootstrap.ts";
import { tQuantile } from "../../evaluation/distributions.ts";
import { gini } from "../../evaluation/exposure.ts";
import { mean } from "../../evaluation/moments.ts";
import type { Estimate } from "../../evaluation/report.ts";
import type { ListsOfUser, Pair, ShownToUser } from "../evidence.ts";
import type { Policy } from "../policy.ts";
import { defineGuardrail, guardrail, provenAtLeast, type ResultOf } from "./guardrail.ts";
import { samplesToNarrow } from "./more-samples.ts";

type Lists = readonly ListsOfUser[];

/** Resampling is part of the verdict, so its seed is too: a record must replay to the same numbers. */
const SEED = 20_261;

/** Coverage, novelty and diversity against the baseline, and the concentration of exposure. */
export const CATALOGUE = defineGuardrail({
  codes: {
    COVERAGE: {
      name: "coverage",
      measure: "coverage against the baseline's",
      unit: "ratio",
      field: "guardrails.coverageRatio",
    },
    NOVELTY: {
      name: "novelty",
      measure: "novelty against the baseline's",
      unit: "ratio",
      field: "guardrails.noveltyRatio",
    },
    DIVERSITY: {
      name: "diversity",
      measure: "diversity against the smaller of the baseline's and of what users chose",
      unit: "ratio",
      field: "guardrails.diversityRatio",
    },
    CONCENTRATION: {
      name: "concentration",
      measure: "the rise of the Gini coefficient",
      unit: "ratio",
      field: "guardrails.giniIncrease",
    },
  },
  judge: ({ plan, lists, catalogueItems }, policy) => {
    const limits = policy.guardrails;
    const codes = ["COVERAGE", "NOVELTY", "DIVERSITY", "CONCENTRATION"] as const;
    const measured = ({ items, novelty, diversity }: ShownToUser) =>
      [novelty, diversity].every(Number.isFinite) && items.every(Number.isFinite);
    const complete = lists?.every(({ challenger, baseline }) => measured(challenger) && measured(baseline));
    if (lists === null || lists.length === 0 || !complete || !(catalogueItems > 0)) {
      return codes.map((code) => guardrail(code, "missing"));
    }
    const options = {
      seed: SEED,
      resamples: limits.resamples,
      tails: [1 - limits.confidence, limits.harmConfidence] as const,
    };
    const novelty = bootstrapRatio(
      lists.map(({ challenger }) => challenger.novelty),
      lists.map(({ baseline }) => baseline.novelty),
      options,
    );
    const results = [
      provenAtLeast("COVERAGE", coverageRatio(lists, options), limits.coverageRatio),
      provenAtLeast("NOVELTY", novelty, limits.noveltyRatio),
      provenAtLeast("DIVERSITY", diversityRatio(lists, options), limits.diversityRatio),
      // The first design, which planned no figure, took the rise of the Gini coefficient as it was measured.
      concentration(lists, catalogueItems, policy, plan?.figure !== undefined),
    ];
    // The bootstrap of a few users knows no spread: they may neither acquit nor convict.
    const few = limits.listMinimumUsers - lists.length;
    return results.map((result) => {
      if (few > 0) {
        return { ...result, outcome: "unproven" as const, numbers: { ...result.numbers, moreUsers: few } };
      }
      const more = result.outcome === "unproven" ? usersToAcquit(result.numbers, lists.length) : null;
      return more === null ? result : { ...result, numbers: { ...result.numbers, moreUsers: more } };
    });
  },
});

/** Users after which the lower bound would have come up to the limit, were the ratio to stay what it is. */
function usersToAcquit(
  { value, low, limit }: Readonly<Record<string, number>>,
  users: number,
): number | null {
  return samplesToNarrow(users, value - low, value - limit);
}

/**
 * Against the smaller of two references: the baseline's lists, and what the same users chose next. Lists that are
 * the same for everybody are varied by accident, and personal ones must not be rejected for being personal.
 */
function diversityRatio(
  lists: Lists,
  options: { seed: number; resamples: number; tails: readonly [number, number] },
): Estimate {
  const against = (rows: Lists, reference: (row: Lists[number]) => number): Estimate =>
    bootstrapRatio(
      rows.map(({ challenger }) => challenger.diversity),
      rows.map(reference),
      options,
    );
  const beside = against(lists, ({ baseline }) => baseline.diversity);
  const chose = lists.filter(({ chosenDiversity }) => Number.isFinite(chosenDiversity ?? Number.NaN));
  // Few users who chose two things or more would make a reference by chance.
  if (chose.length < lists.length / 2) return beside;
  const chosen = against(chose, ({ chosenDiversity }) => chosenDiversity ?? Number.NaN);
  return chosen.mean > beside.mean ? chosen : beside;
}

/**
 * Ratio of the distinct items shown, with a bootstrap over users. A resample repeats users and so always shows
 * fewer distinct items; the spread of ln(ratio) is therefore centred on the observed ratio (basic bootstrap
 * with the bias taken out).
 */
function coverageRatio(
  lists: Lists,
  options: { seed: number; resamples: number; tails: readonly [number, number] },
) {
  const ours = usersByItem(lists.map(({ challenger }) => challenger.items));
  const theirs = usersByItem(lists.map(({ baseline }) => baseline.items));
  const value = ours.length / theirs.length;
  const random = seededRandom(options.seed);
  /** Round in which a user was last picked. */
  const pickedIn = new Uint32Array(lists.length);
  const logRatios = new Float64Array(options.resamples);
  for (let round = 1; round <= options.resamples; round++) {
    for (let slot = 0; slot < lists.length; slot++) pickedIn[random.integer(lists.length)] = round;
    logRatios[round - 1] = Math.log(distinctIn(ours, pickedIn, round) / distinctIn(theirs, pickedIn, round));
  }
  const centre = mean(logRatios);
  logRatios.sort();
  const end = (probability: number) => value * Math.exp(quantile(logRatios, probability) - centre);
  return { mean: value, low: end(options.tails[0]), high: end(options.tails[1]) };
}

/** For each item the users it was shown to. */
function usersByItem(lists: readonly (readonly number[])[]): readonly Uint32Array[] {
  const users = new Map<number, number[]>();
  for (const [user, items] of lists.entries()) {
    for (const item of items) {
      const known = users.get(item);
      if (known === undefined) users.set(item, [user]);
      else known.push(user);
    }
  }
  return Array.from(users.values(), (own) => Uint32Array.from(own));
}

/** Items shown to anybody who was picked: most are found at the first user or the second, whatever their number. */
function distinctIn(items: readonly Uint32Array[], pickedIn: Uint32Array, round: number): number {
  let distinct = 0;
  for (const users of items) {
    for (const user of users) {
      if (pickedIn[user] !== round) continue;
      distinct++;
      break;
    }
  }
  return distinct;
}

/** Gini of the users each item was shown to: challenger − baseline. */
function concentration(
  lists: Lists,
  catalogueItems: number,
  { guardrails: limits }: Policy,
  needsProof: boolean,
): ResultOf<"CONCENTRATION"> {
  const limit = limits.giniIncrease;
  const rise = (of: Lists) =>
    exposureGini(of, catalogueItems, "challenger") - exposureGini(of, catalogueItems, "baseline");
  const ours = exposureGini(lists, catalogueItems, "challenger");
  const theirs = exposureGini(lists, catalogueItems, "baseline");
  const value = ours - theirs;
  const numbers = { value, limit, challenger: ours, baseline: theirs };
  if (value <= limit) return guardrail("CONCENTRATION", "pass", numbers);
  if (!needsProof) return guardrail("CONCENTRATION", "fail", numbers);
  const low = value - jackknifeError(lists, rise) * tQuantile(limits.harmConfidence, GROUPS - 1);
  return guardrail("CONCENTRATION", low > limit ? "fail" : "unproven", { ...numbers, low });
}

function exposureGini(lists: Lists, catalogueItems: number, side: keyof Pair<unknown>): number {
  const shown = new Map<number, number>();
  for (const pair of lists) for (const item of pair[side].items) shown.set(item, (shown.get(item) ?? 0) + 1);
  const perItem = new Float64Array(Math.max(catalogueItems, shown.size));
  perItem.set([...shown.values()]);
  return gini(perItem);
}

/** Groups of users that are left out in turn. */
const GROUPS = 20;

/**
 * Standard error by the delete-a-group jackknife, √((g − 1)/g · Σ (θ_(−j) − θ̄)²), groups by place: a whole bootstrap
 * would sort the catalogue thousands of times. Source: Kott, Journal of Official Statistics 17(4), 2001.
 */
function jackknifeError(lists: Lists, statistic: (of: Lists) => number): number {
  const groups = Math.min(GROUPS, lists.length);
  const without = Array.from({ length: groups }, (_, group) =>
    statistic(lists.filter((_, place) => place % groups !== group)),
  );
  const centre = mean(without);
  const squares = without.reduce((sum, one) => sum + (one - centre) ** 2, 0);
  return Math.sqrt(((groups - 1) / groups) * squares);
}
