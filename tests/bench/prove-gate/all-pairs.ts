import { type Random, seededRandom } from "../../../models/data/random.ts";
import { alphaOfAttempt, alphaOfDiscovery } from "../../../models/gate/alpha-spending.ts";
import {
  type EProcessPlan,
  type EProcessState,
  isProven,
  nextEProcess,
  planTest,
  type SequentialTest,
  startEProcess,
} from "../../../models/gate/e-process.ts";
import { usersUntilProven } from "./sequential.ts";

const ALPHA = 0.05;
/** Holdouts that promised lifts where there are none. */
const BOLD: EProcessPlan = { margin: 0, range: 0.4, excess: 0.05, variance: 0.01, alpha: ALPHA };

interface Pair {
  readonly baseline: number;
  readonly opensAt: number;
  readonly test: SequentialTest;
  state: EProcessState;
  proven: boolean;
}

/**
 * Models without any lift over one another; every pair runs from the moment both lanes exist, whoever is live. A
 * promotion, or an operator at any time, changes the baseline. Share of (run, baseline) with a challenger ever proven
 * over that baseline: the chance of promoting over it without a lift.
 */
export function promotedOverAnyBaseline(
  size: { readonly runs: number; readonly users: number; readonly models: number },
  seed: number,
): number {
  const random = seededRandom(seed);
  let promoted = 0;
  for (let run = 0; run < size.runs; run++) {
    const pairs = openPairs(size, random);
    for (let user = 0; user < size.users; user++) {
      const figures = figuresOf(size.models, random);
      for (const pair of pairs) step(pair, user, figures);
    }
    const beaten = new Set(pairs.filter(({ proven }) => proven).map(({ baseline }) => baseline));
    promoted += beaten.size;
  }
  return promoted / (size.runs * size.models);
}

type Opened = Pair & { readonly challenger: number };

/** Half of the models are there from the start, the others come at random; k counts the lines at each baseline. */
function openPairs({ users, models }: { users: number; models: number }, random: Random): Opened[] {
  const opensAt = Array.from({ length: models }, (_, model) =>
    model < models / 2 ? 0 : random.integer(Math.ceil(users / 2)),
  );
  const pairs: Opened[] = [];
  for (let baseline = 0; baseline < models; baseline++) {
    const challengers = opensAt.map((_, model) => model).filter((model) => model !== baseline);
    challengers.sort((a, b) => opensAt[a] - opensAt[b]);
    for (const [place, challenger] of challengers.entries()) {
      const test = planTest({ ...BOLD, alpha: alphaOfAttempt(ALPHA, place + 1) });
      const from = Math.max(opensAt[baseline], opensAt[challenger]);
      pairs.push({ challenger, baseline, opensAt: from, test, state: startEProcess(), proven: false });
    }
  }
  return pairs;
}

/** Of one user by every model: alike by the user's taste, and exchangeable. */
function figuresOf(models: number, random: Random): number[] {
  const taste = 0.3 * random.next() ** 2;
  return Array.from({ length: models }, () =>
    Math.max(0, Math.min(0.4, taste + (random.next() < 0.5 ? 0.6 * (random.next() - 0.5) : 0))),
  );
}

function step(pair: Opened, user: number, figures: readonly number[]): void {
  if (pair.proven || user < pair.opensAt) return;
  const difference = figures[pair.challenger] - figures[pair.baseline];
  pair.state = nextEProcess(pair.state, pair.test, difference);
  pair.proven = isProven(pair.state, pair.test);
}

export interface RowOutcome {
  /** Share of rows with any promotion without a lift. */
  readonly anyFalse: number;
  /** Mean share of the promotions that had no lift. */
  readonly falseShare: number;
  /** Share of the true lifts that were promoted. */
  readonly found: number;
}

/** Challengers in a row, some with a lift; each way to spend α. `family` counts from 1 again at a new baseline. */
export function challengersInARow(
  spending: "family" | "fdr",
  size: {
    readonly rows: number;
    readonly challengers: number;
    readonly users: number;
    readonly lifted: number;
  },
  seed: number,
): RowOutcome {
  const random = seededRandom(seed);
  let anyFalse = 0;
  let falseShare = 0;
  let found = 0;
  let lifts = 0;
  for (let row = 0; row < size.rows; row++) {
    let right = 0;
    let wrong = 0;
    let atBaseline = 0;
    for (let pair = 1; pair <= size.challengers; pair++) {
      const isLifted = random.next() < size.lifted;
      if (isLifted) lifts++;
      atBaseline++;
      const alpha =
        spending === "family"
          ? alphaOfAttempt(ALPHA, atBaseline)
          : alphaOfDiscovery(ALPHA, { pair: pair, promotions: right + wrong });
      const test = planTest({ ...BOLD, alpha });
      const draw = (from: Random) => (isLifted ? 0.03 : 0) + (from.next() < 0.5 ? 0.1 : -0.1);
      if (usersUntilProven(draw, test, size.users, random) === null) continue;
      atBaseline = 0;
      if (isLifted) right++;
      else wrong++;
    }
    if (wrong > 0) anyFalse++;
    falseShare += wrong / Math.max(1, right + wrong);
    found += right;
  }
  return {
    anyFalse: anyFalse / size.rows,
    falseShare: falseShare / size.rows,
    found: lifts === 0 ? 0 : found / lifts,
  };
}
