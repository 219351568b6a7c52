import type { Trial } from "../artifact/manifest.ts";
import { seededRandom } from "../data/random.ts";
import type { Params, SearchSpace } from "../recipe.ts";
import { bestTrial } from "./best-trial.ts";
import { halvingRungs, nextPromotion } from "./halving.ts";
import { type Point, randomPoint, toParams, toPoint } from "./space.ts";
import { suggestPoint } from "./tpe.ts";

/**
 * Hyper-parameter search by ask and tell. The first configuration is the defaults, the next few are random, the rest
 * come from a TPE on the largest budget that has enough trials. With several rungs, good configurations are asked
 * again with more budget (ASHA). What is asked depends on the seed, the finished trials in their order and what
 * is asked but not finished; nothing else: tell the trials of a search that died, and it goes on where it was.
 */
export interface SearchOptions {
  readonly space: SearchSpace;
  /** Complete parameters; those outside the space stay as they are. */
  readonly defaults: Params;
  /** What the trials may spend together, in trials with the full budget: as many as there are, without rungs. */
  readonly trials: number;
  readonly seed: number;
  /** Smallest budget of successive halving, a share of the full one (default 1: every trial gets all of it). */
  readonly smallestBudget?: number | undefined;
  /** One in `eta` configurations of a rung is lifted, to `eta` times the budget (default 3). */
  readonly eta?: number | undefined;
  /** Random configurations before the model-based ones (default: a quarter of all, at least 4). */
  readonly randomStart?: number | undefined;
}

export interface Suggestion {
  readonly params: Params;
  /** Seed to fit with; the same at every rung. */
  readonly seed: number;
  /** 0 … 1. */
  readonly budget: number;
}

export interface Search {
  /** What to evaluate next, or null when all is asked (until a tell opens a promotion, or for good). */
  ask(): Suggestion | null;
  /** A failed trial is one with a `failure`; it counts as the worst. @throws RangeError for a score that is not finite */
  tell(trial: Trial): void;
  readonly trials: readonly Trial[];
  /** The best trial of the largest budget that finished, failed ones aside. */
  best(): Trial | null;
}

/** Sums of thirds are not whole numbers to the last bit. */
const ROUNDING = 1e-9;

export function createSearch(options: SearchOptions): Search {
  const { space, defaults, seed } = options;
  const eta = options.eta ?? 3;
  const names = Object.keys(space);
  const dimensions = Object.values(space);
  const payable = names.length === 0 ? Math.min(1, options.trials) : options.trials;
  const ladder = halvingRungs(options.smallestBudget ?? 1, eta);
  // The starting point climbs all of it: what cannot pay that is spent on whole trials.
  const rungs = sum(ladder) <= payable ? ladder : [1];
  // Each rung but the first has 1/eta of the configurations of the one below, at eta times the budget: all cost alike.
  const configurations = payable / (rungs.length * rungs[0]);
  const randomStart = options.randomStart ?? Math.max(4, Math.ceil(configurations / 4));
  const finished: Trial[] = [];
  const pending = new Map<string, Suggestion>();
  const begun = new Set<string>();
  const keyOf = (params: Params, budget: number): string =>
    JSON.stringify([budget, ...names.map((name) => params[name])]);
  const standing = {
    started: ({ params }: Trial, budget: number) => begun.has(keyOf(params, budget)),
    always: ({ params, budget }: Trial) => keyOf(params, budget) === keyOf(defaults, budget),
  };

  /** Points to learn from: those of the largest budget with more trials than axes, plus what is under way. */
  const observations = () => {
    const enough = dimensions.length + 2;
    const budget =
      rungs.findLast((rung) => finished.filter((trial) => trial.budget === rung).length >= enough) ??
      rungs[0];
    const known = finished.filter((trial) => trial.budget === budget);
    const scores = known.map(({ score }) => score).sort((a, b) => a - b);
    // A trial under way counts as a middling one, so that parallel workers spread out.
    const middling = scores[scores.length >> 1] ?? 0;
    return [
      ...known.map(({ params, score, failure }) => ({
        point: toPoint(space, params),
        score: failure === undefined ? score : scores[0],
      })),
      ...[...pending.values()].map(({ params }) => ({ point: toPoint(space, params), score: middling })),
    ];
  };

  const newConfiguration = (): Params => {
    const count = [...finished, ...pending.values()].filter(({ budget }) => budget === rungs[0]).length;
    if (count === 0) return defaults;
    const random = seededRandom(seed + Math.imul(count, 0x9e3779b1));
    for (let attempt = 0; ; attempt++) {
      const seen = observations();
      const point: Point =
        count <= randomStart || seen.length < 2 || attempt > 20
          ? randomPoint(space, random)
          : suggestPoint(dimensions, seen, random);
      const params = { ...defaults, ...toParams(space, point) };
      // A space of choices alone can run out of new points; then a repeat is all there is.
      if (!begun.has(keyOf(params, rungs[0])) || attempt > 40) return params;
    }
  };

  /** What a new configuration must leave over: one lift to the full budget, or it was tried for nothing. */
  const reserve = rungs.length > 1 ? 1 : 0;

  const next = (): Omit<Suggestion, "seed"> | null => {
    const left = payable - sum([...finished, ...pending.values()].map(({ budget }) => budget)) + ROUNDING;
    const lift = (oneIn: number) => nextPromotion(rungs, oneIn, finished, standing);
    const lifted = lift(eta);
    if (lifted === null && left >= rungs[0] + reserve) {
      return { params: newConfiguration(), budget: rungs[0] };
    }
    // What is left when no new one can be paid lifts the best that was not, once all are finished.
    const chosen = lifted ?? (pending.size === 0 ? lift(1) : null);
    return chosen === null || chosen.budget > left
      ? null
      : { params: chosen.trial.params, budget: chosen.budget };
  };

  return {
    trials: finished,
    ask() {
      const chosen = next();
      if (chosen === null) return null;
      const suggestion = { ...chosen, seed };
      const key = keyOf(suggestion.params, suggestion.budget);
      begun.add(key);
      pending.set(key, suggestion);
      return suggestion;
    },
    tell(trial) {
      if (!Number.isFinite(trial.score)) {
        throw new RangeError(
          `search: expected a finite score, got ${trial.score}; tell a failed trial with its failure`,
        );
      }
      begun.add(keyOf(trial.params, trial.budget));
      pending.delete(keyOf(trial.params, trial.budget));
      finished.push(trial);
    },
    best: () => bestTrial(finished),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
