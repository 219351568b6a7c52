import { cutPosition } from "../../../models/data/interaction-log.ts";
import { trainingSet } from "../../../models/data/interaction-matrix.ts";
import { type Random, seededRandom } from "../../../models/data/random.ts";
import { evaluate } from "../../../models/evaluation/evaluate.ts";
import { mean, sampleVariance } from "../../../models/evaluation/moments.ts";
import { popularityShares } from "../../../models/evaluation/novelty.ts";
import { prequentialRequests } from "../../../models/evaluation/requests.ts";
import { type PairedFigures, planFigure } from "../../../models/gate/capped-figure.ts";
import {
  isProven,
  nextEProcess,
  type SequentialTest,
  startEProcess,
} from "../../../models/gate/e-process.ts";
import { planFirstTest } from "../../../models/gate/first-bets.ts";
import { cappedTest, type TestPlan } from "../../../models/gate/test-plan.ts";
import { fitModel, recommenderOf } from "../../../models/model.ts";
import { counts } from "../../../models/popularity/counts.ts";
import { importInteractions } from "../../../services/interactions/import/import.ts";

/** A user's figure by each recipe, users in one order. */
export type RealFigures = Readonly<Record<string, readonly number[]>>;

export const REAL_RECIPES = [
  "popularity",
  "popular-lately",
  "item-knn",
  "als",
  "slist-als",
  "neural-blend",
] as const;

/** The α that the default policy leaves the shadow of a first attempt once interleaving has its share. */
export const REAL_ALPHA = 0.0225;
const CUT = 0.6;
const HOLDOUT_USERS = 100;
const MOST_USERS = 3000;

export interface RealPair {
  readonly challenger: string;
  readonly baseline: string;
  /** δ as a share of the baseline's mean. */
  readonly price: number;
  /** Median users of EVALUATION's table, on ml-latest-small. */
  readonly design: number;
}

export const REAL_PAIRS: readonly RealPair[] = [
  { challenger: "popular-lately", baseline: "popularity", price: 0, design: 80 },
  { challenger: "als", baseline: "popularity", price: 0.02, design: 47 },
  { challenger: "als", baseline: "popular-lately", price: 0.02, design: 148 },
  { challenger: "neural-blend", baseline: "popular-lately", price: 0.04, design: 110 },
  { challenger: "als", baseline: "item-knn", price: 0.01, design: 310 },
  { challenger: "neural-blend", baseline: "als", price: 0.02, design: 543 },
];

/** Every recipe with its defaults, fitted before the cut, asked at a uniform sample of each later user's moments. */
export async function realFigures(
  folder: string,
  k: number,
  recipes: readonly string[] = REAL_RECIPES,
): Promise<RealFigures> {
  const { log, catalogue } = await importInteractions(folder, { now: Date.now() });
  const from = cutPosition(log, CUT);
  const train = trainingSet(log, catalogue, { to: from, minItemInteractions: 5 });
  const { items } = train.interactions;
  const requests = prequentialRequests(log, { from, recommendable: items, seed: 1 });
  const popularity = popularityShares(counts(train));
  const figures: Record<string, readonly number[]> = {};
  for (const recipe of recipes) {
    const { model } = await fitModel(recipe, train, {}, { seed: 1, threads: 1 });
    const { perUser } = evaluate(recommenderOf(model), requests, {
      k,
      catalogue,
      items,
      popularity,
      seed: 1,
    });
    figures[recipe] = perUser.map(({ ndcg }) => ndcg);
  }
  return figures;
}

export interface RealPower {
  readonly lift: number;
  /** What an oracle that knew mean and variance would need: 2·ln(1/α)/z². */
  readonly gauss: number;
  readonly first: Quantiles;
  readonly blind: Quantiles;
  readonly now: Quantiles;
}

export interface Quantiles {
  readonly median: number;
  readonly p80: number;
}

/**
 * Users until proof, each run on resampled users and with a holdout of its own; `blind` has none to foretell the lift.
 */
export function realPower(figures: RealFigures, pair: RealPair, runs: number): RealPower {
  const users = pairUp(figures, pair);
  const random = seededRandom(21);
  const until = { first: [] as number[], blind: [] as number[], now: [] as number[] };
  for (let run = 0; run < runs; run++) {
    const holdout = Array.from({ length: HOLDOUT_USERS }, () => users[random.integer(users.length)]);
    const figure = planFigure(holdout);
    const baselineMean = mean(holdout.map(({ baseline }) => baseline));
    const plan = { margin: pair.price * baselineMean, mde: 0.01, variance: 0, alpha: REAL_ALPHA };
    const seed = random.integer(2 ** 31);
    const draws = () => drawsOf(users, figure.cap, seededRandom(seed));
    until.now.push(untilProven(cappedTest({ ...plan, figure }), draws(), MOST_USERS));
    until.blind.push(
      untilProven(cappedTest({ ...plan, figure: { ...figure, lift: undefined } }), draws(), MOST_USERS),
    );
    until.first.push(untilFirstProven(plan, drawsOf(users, 1, seededRandom(seed))));
  }
  const differences = users.map(({ challenger, baseline }) => challenger - baseline);
  const lift = mean(differences);
  const gap = lift - pair.price * mean(users.map(({ baseline }) => baseline));
  const gauss = (2 * Math.log(1 / REAL_ALPHA) * sampleVariance(differences)) / gap ** 2;
  return {
    lift,
    gauss,
    first: quantiles(until.first),
    blind: quantiles(until.blind),
    now: quantiles(until.now),
  };
}

/** Share of runs promoted where the margin is exactly the lift that these real users have. */
export function realNull(
  figures: RealFigures,
  pair: RealPair,
  size: { readonly runs: number; readonly users: number },
): number {
  const users = pairUp(figures, pair);
  const random = seededRandom(22);
  let promoted = 0;
  for (let run = 0; run < size.runs; run++) {
    const holdout = Array.from({ length: HOLDOUT_USERS }, () => users[random.integer(users.length)]);
    const figure = planFigure(holdout);
    const lift = mean(users.map((user) => capped(user, figure.cap)));
    const test = cappedTest({ margin: lift, mde: 0.01, variance: 0, alpha: REAL_ALPHA, figure });
    if (untilProven(test, drawsOf(users, figure.cap, random), size.users) < size.users) promoted++;
  }
  return promoted / size.runs;
}

/** α of a watch. */
const WATCH_ALPHA = 0.05;

/** Users until a version whose lists nobody wants is left for popularity, which served before it. */
export function realHarm(
  figures: RealFigures,
  runs: number,
): { readonly first: Quantiles; readonly now: Quantiles } {
  const users = figures.popularity.map((figure) => ({ challenger: figure, baseline: 0 }));
  const random = seededRandom(29);
  const until = { first: [] as number[], now: [] as number[] };
  for (let run = 0; run < runs; run++) {
    const holdout = Array.from({ length: HOLDOUT_USERS }, () => users[random.integer(users.length)]);
    const figure = planFigure(holdout);
    const plan = { margin: 0, mde: 0.01, variance: 0, alpha: WATCH_ALPHA };
    const seed = random.integer(2 ** 31);
    const draws = (cap: number) => drawsOf(users, cap, seededRandom(seed));
    until.now.push(untilProven(cappedTest({ ...plan, figure }), draws(figure.cap), MOST_USERS));
    until.first.push(untilFirstProven(plan, draws(1)));
  }
  return { first: quantiles(until.first), now: quantiles(until.now) };
}

function pairUp(figures: RealFigures, { challenger, baseline }: RealPair): PairedFigures[] {
  return figures[challenger].map((figure, user) => ({
    challenger: figure,
    baseline: figures[baseline][user],
  }));
}

function capped({ challenger, baseline }: PairedFigures, cap: number): number {
  return Math.min(challenger, cap) - Math.min(baseline, cap);
}

function* drawsOf(users: readonly PairedFigures[], cap: number, random: Random): Generator<number> {
  for (;;) yield capped(users[random.integer(users.length)], cap);
}

function untilProven(test: SequentialTest, draws: Generator<number>, most: number): number {
  let state = startEProcess();
  for (const difference of draws) {
    if (state.users === most) break;
    state = nextEProcess(state, test, difference);
    if (isProven(state, test)) return state.users;
  }
  return most;
}

/** The first design planned its bets on a variance of .15². */
function untilFirstProven(plan: TestPlan, draws: Generator<number>): number {
  const { margin, mde, alpha } = plan;
  const { bets } = planFirstTest({
    margin,
    alpha,
    gap: Math.max(mde - margin, mde / 2),
    variance: 0.15 ** 2,
  });
  const wealth = bets.map(({ weight }) => weight);
  for (let users = 1; users <= MOST_USERS; users++) {
    const excess = Number(draws.next().value) - margin;
    let sum = 0;
    for (let bet = 0; bet < bets.length; bet++) {
      wealth[bet] *= 1 + bets[bet].lambda * excess;
      sum += wealth[bet];
    }
    if (sum >= 1 / alpha) return users;
  }
  return MOST_USERS;
}

function quantiles(users: readonly number[]): Quantiles {
  const ascending = Float64Array.from(users).sort();
  const at = (share: number) => ascending[Math.floor(share * (ascending.length - 1))];
  return { median: at(0.5), p80: at(0.8) };
}
