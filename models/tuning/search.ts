import { seededRandom } from "../data/random.ts";
import type { Trial } from "../manifest.ts";
import type { Params, SearchSpace } from "../recipe.ts";
import { halvingRungs, nextPromotion } from "./halving.ts";
import { type Point, randomPoint, toParams, toPoint } from "./space.ts";
import { suggestPoint } from "./tpe.ts";

/**
 * Hyper-parameter search by ask and tell. The first configuration is the defaults, the next few are random, the rest
 * come from a TPE on the largest budget that has enough trials. With several rungs, good configurations are asked
 * again with more budget (ASHA). What is asked depends on the seed, the trials told so far in their order and what
 * is asked but not told yet; nothing else: tell the trials of a search that died, and it goes on where it was.
 */
export interface SearchOptions {
  readonly space: SearchSpace;
  /** Complete parameters; those outside the space stay as they are. */
  readonly defaults: Params;
  /** Configurations to try; lifting one to a higher rung does not count. */
  readonly trials: number;
  readonly seed: number;
  /** Smallest budget of successive halving, a share of the full one (default 1: every trial gets all of it). */
  readonly smallestBudget?: number;
  /** One in `eta` configurations of a rung is lifted, to `eta` times the budget (default 3). */
  readonly eta?: number;
  /** Random configurations before the model-based ones (default: a quarter, at least 4). */
  readonly randomStart?: number;
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
  tell(trial: Trial): void;
  readonly trials: readonly Trial[];
  /** The best trial of the largest budget that was told. */
  best(): Trial | null;
}

export function createSearch(options: SearchOptions): Search {
  const { space, defaults, seed } = options;
  const eta = options.eta ?? 3;
  const rungs = halvingRungs(options.smallestBudget ?? 1, eta);
  const randomStart = options.randomStart ?? Math.max(4, Math.ceil(options.trials / 4));
  const names = Object.keys(space);
  const dimensions = Object.values(space);
  const configurations = names.length === 0 ? 1 : options.trials;
  const told: Trial[] = [];
  const pending = new Map<string, Suggestion>();
  const begun = new Set<string>();
  const keyOf = (params: Params, budget: number): string =>
    JSON.stringify([budget, ...names.map((name) => params[name])]);

  /** Points to learn from: those of the largest budget with more trials than axes, plus what is under way. */
  const observations = () => {
    const enough = dimensions.length + 2;
    const budget =
      rungs.findLast((rung) => told.filter((trial) => trial.budget === rung).length >= enough) ?? rungs[0];
    const known = told.filter((trial) => trial.budget === budget);
    const scores = known.map(({ score }) => score).sort((a, b) => a - b);
    // A trial under way counts as a middling one, so that parallel workers spread out.
    const middling = scores[scores.length >> 1] ?? 0;
    return [
      ...known.map(({ params, score }) => ({ point: toPoint(space, params), score })),
      ...[...pending.values()].map(({ params }) => ({ point: toPoint(space, params), score: middling })),
    ];
  };

  const newConfiguration = (): Params | null => {
    const count = [...told, ...pending.values()].filter(({ budget }) => budget === rungs[0]).length;
    if (count >= configurations) return null;
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

  return {
    trials: told,
    ask() {
      const lifted = nextPromotion(rungs, eta, told, (trial, budget) =>
        begun.has(keyOf(trial.params, budget)),
      );
      const params = lifted?.trial.params ?? newConfiguration();
      if (params === null) return null;
      const suggestion = { params, seed, budget: lifted?.budget ?? rungs[0] };
      begun.add(keyOf(params, suggestion.budget));
      pending.set(keyOf(params, suggestion.budget), suggestion);
      return suggestion;
    },
    tell(trial) {
      if (!Number.isFinite(trial.score)) {
        throw new RangeError(`search: expected a finite score, got ${trial.score}; tell a failed trial as 0`);
      }
      begun.add(keyOf(trial.params, trial.budget));
      pending.delete(keyOf(trial.params, trial.budget));
      told.push(trial);
    },
    best() {
      const budget = rungs.findLast((rung) => told.some((trial) => trial.budget === rung));
      const finished = told.filter((trial) => trial.budget === budget);
      return finished.reduce<Trial | null>(
        (best, trial) => (best && best.score >= trial.score ? best : trial),
        null,
      );
    },
  };
}
