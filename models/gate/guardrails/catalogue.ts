import { seededRandom } from "../../data/random.ts";
import { bootstrapRatio, quantile } from "../../evaluation/bootstrap.ts";
import { gini } from "../../evaluation/exposure.ts";
import { mean } from "../../evaluation/moments.ts";
import type { Pair, ShownToUser } from "../evidence.ts";
import type { Policy } from "../policy.ts";
import { defineGuardrail, guardrail, provenAtLeast } from "./guardrail.ts";

type Lists = readonly Pair<ShownToUser>[];

/** Resampling is part of the verdict, so its seed is too: a record must replay to the same numbers. */
const SEED = 20_261;

/** Coverage, novelty and diversity against the baseline, and the concentration of exposure. */
export const CATALOGUE = defineGuardrail({
  codes: {
    COVERAGE: { name: "coverage", measure: "coverage against the baseline's", unit: "ratio" },
    NOVELTY: { name: "novelty", measure: "novelty against the baseline's", unit: "ratio" },
    DIVERSITY: { name: "diversity", measure: "diversity against the baseline's", unit: "ratio" },
    CONCENTRATION: { name: "concentration", measure: "the rise of the Gini coefficient", unit: "ratio" },
  },
  judge: ({ lists, catalogueItems }, policy) => {
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
    const ratio = (name: "novelty" | "diversity") =>
      bootstrapRatio(
        lists.map(({ challenger }) => challenger[name]),
        lists.map(({ baseline }) => baseline[name]),
        options,
      );
    const results = [
      provenAtLeast("COVERAGE", coverageRatio(lists, options), limits.coverageRatio),
      provenAtLeast("NOVELTY", ratio("novelty"), limits.noveltyRatio),
      provenAtLeast("DIVERSITY", ratio("diversity"), limits.diversityRatio),
      concentration(lists, catalogueItems, policy),
    ];
    // The bootstrap of a few users knows no spread: they may neither acquit nor convict.
    const few = lists.length < limits.listMinimumUsers;
    return few ? results.map((result) => ({ ...result, outcome: "unproven" as const })) : results;
  },
});

/**
 * Ratio of the distinct items shown, with a bootstrap over users. A resample repeats users and so always shows
 * fewer distinct items; the spread of ln(ratio) is therefore centred on the observed ratio (basic bootstrap
 * with the bias taken out).
 */
function coverageRatio(
  lists: Lists,
  options: { seed: number; resamples: number; tails: readonly [number, number] },
) {
  const ours = numbered(lists.map(({ challenger }) => challenger.items));
  const theirs = numbered(lists.map(({ baseline }) => baseline.items));
  const value = ours.distinct / theirs.distinct;
  const random = seededRandom(options.seed);
  const picks = new Uint32Array(lists.length);
  const logRatios = new Float64Array(options.resamples);
  for (let round = 1; round <= options.resamples; round++) {
    for (let slot = 0; slot < picks.length; slot++) picks[slot] = random.integer(lists.length);
    logRatios[round - 1] = Math.log(distinctIn(ours, picks, round) / distinctIn(theirs, picks, round));
  }
  const centre = mean(logRatios);
  logRatios.sort();
  const end = (probability: number) => value * Math.exp(quantile(logRatios, probability) - centre);
  return { mean: value, low: end(options.tails[0]), high: end(options.tails[1]) };
}

interface NumberedLists {
  readonly byUser: readonly Uint32Array[];
  readonly distinct: number;
  /** Round in which an item was last seen. */
  readonly seenIn: Uint32Array;
}

function numbered(lists: readonly (readonly number[])[]): NumberedLists {
  const places = new Map<number, number>();
  const placeOf = (item: number): number => {
    const known = places.get(item);
    if (known !== undefined) return known;
    places.set(item, places.size);
    return places.size - 1;
  };
  const byUser = lists.map((items) => Uint32Array.from(items, placeOf));
  return { byUser, distinct: places.size, seenIn: new Uint32Array(places.size) };
}

function distinctIn({ byUser, seenIn }: NumberedLists, picks: Uint32Array, round: number): number {
  let distinct = 0;
  for (const pick of picks) {
    for (const item of byUser[pick]) {
      if (seenIn[item] !== round) {
        seenIn[item] = round;
        distinct++;
      }
    }
  }
  return distinct;
}

/** Gini of the users each item was shown to. */
function concentration(lists: Lists, catalogueItems: number, policy: Policy) {
  const exposure = (side: keyof Pair<unknown>) => {
    const shown = new Map<number, number>();
    for (const pair of lists)
      for (const item of pair[side].items) shown.set(item, (shown.get(item) ?? 0) + 1);
    const perItem = new Float64Array(Math.max(catalogueItems, shown.size));
    perItem.set([...shown.values()]);
    return gini(perItem);
  };
  const [ours, theirs] = [exposure("challenger"), exposure("baseline")];
  const limit = policy.guardrails.giniIncrease;
  const value = ours - theirs;
  const outcome = value <= limit ? "pass" : "fail";
  return guardrail("CONCENTRATION", outcome, { value, limit, challenger: ours, baseline: theirs });
}
