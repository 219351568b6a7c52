import { type Random, seededRandom } from "../../../models/data/random.ts";
import { alphaOfAttempt } from "../../../models/gate/alpha-spending.ts";
import {
  type EProcessPlan,
  isProven,
  nextEProcess,
  planTest,
  type SequentialTest,
  startEProcess,
} from "../../../models/gate/e-process.ts";
import { correlatedRequests, type Draw } from "./nulls.ts";

/** The planned upgrade of EVALUATION, on differences that may be as large as they come. */
export const PLANNED: EProcessPlan = { margin: 0, range: 1, excess: 0.02, variance: 0.15, alpha: 0.05 };

/** Users after which the test is proven, looking after every user; null when it never is. */
export function usersUntilProven(
  draw: Draw,
  test: SequentialTest,
  users: number,
  random: Random,
): number | null {
  let state = startEProcess();
  while (state.users < users) {
    state = nextEProcess(state, test, draw(random));
    if (isProven(state, test)) return state.users;
  }
  return null;
}

/** Share of runs in which the test is ever proven. */
export function promotedShare(
  draw: Draw,
  test: SequentialTest,
  size: { runs: number; users: number },
  seed: number,
): number {
  const random = seededRandom(seed);
  let promoted = 0;
  for (let run = 0; run < size.runs; run++) {
    if (usersUntilProven(draw, test, size.users, random) !== null) promoted++;
  }
  return promoted / size.runs;
}

/** Share of families of null challengers, one after another at one baseline, that promote any. */
export function promotingFamilies(
  draw: Draw,
  size: { families: number; challengers: number; users: number },
  seed: number,
): number {
  const random = seededRandom(seed);
  let promoting = 0;
  for (let family = 0; family < size.families; family++) {
    for (let attempt = 1; attempt <= size.challengers; attempt++) {
      const alpha = alphaOfAttempt(0.05, attempt);
      const test = planTest({ ...PLANNED, alpha });
      if (usersUntilProven(draw, test, size.users, random) === null) continue;
      promoting++;
      break;
    }
  }
  return promoting / size.families;
}

/** Mutant: a one-sided t-test at α = .05, looked at again every 100 users until it says yes. */
export function naiveRepeatedTTest(draw: Draw, size: { runs: number; users: number }, seed: number): number {
  const random = seededRandom(seed);
  let promoted = 0;
  for (let run = 0; run < size.runs; run++) {
    let sum = 0;
    let squares = 0;
    for (let users = 1; users <= size.users; users++) {
      const difference = draw(random);
      sum += difference;
      squares += difference * difference;
      if (users % 100 !== 0) continue;
      const mean = sum / users;
      const error = Math.sqrt((squares / users - mean * mean) / (users - 1));
      if (mean > 1.645 * error) {
        promoted++;
        break;
      }
    }
  }
  return promoted / size.runs;
}

/** The right unit or the mutant: correlated requests averaged a user, or bet on one by one. */
export function withUnit(
  unit: "user" | "request",
  test: SequentialTest,
  size: { runs: number; users: number },
  seed: number,
): number {
  const random = seededRandom(seed);
  let promoted = 0;
  for (let run = 0; run < size.runs; run++) {
    let state = startEProcess();
    for (let user = 0; user < size.users && !isProven(state, test); user++) {
      const requests = correlatedRequests(random);
      const mean = requests.reduce((sum, one) => sum + one, 0) / requests.length;
      for (const difference of unit === "user" ? [mean] : requests) {
        state = nextEProcess(state, test, difference);
      }
    }
    if (isProven(state, test)) promoted++;
  }
  return promoted / size.runs;
}
