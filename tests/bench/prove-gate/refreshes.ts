import { seededRandom } from "../../../models/data/random.ts";
import { alphaOfAttempt, alphaOfDiscovery } from "../../../models/gate/alpha-spending.ts";
import { isProven, nextEProcess, planTest, startEProcess } from "../../../models/gate/e-process.ts";

const ALPHA = 0.05;
/** A figure of .1 either way, so that a lift of .03 is found within some hundred users. */
const NUMBERS = { margin: 0, range: 0.2, excess: 0.03, variance: 0.01 };

export interface Refreshes {
  readonly rows: number;
  /** Each day brings another version of the line. */
  readonly days: number;
  readonly usersADay: number;
  /** Mean lift of the line's versions; they stray from it by up to .02, never beyond 0 where there is none. */
  readonly lift: number;
}

/**
 * Share of lines that are proven while they are retrained every day against a baseline that stays. `continues`: each
 * version goes on with the test of the line, as `jobs/judging/lines.ts` does. `anew`: each begins its own, with the
 * next α.
 */
export function provenWhileRefreshed(
  way: "continues" | "anew",
  spending: "family" | "fdr",
  { rows, days, usersADay, lift }: Refreshes,
  seed: number,
): number {
  const random = seededRandom(seed);
  const testOf = (attempt: number) => {
    const alpha =
      spending === "family"
        ? alphaOfAttempt(ALPHA, attempt)
        : alphaOfDiscovery(ALPHA, { pair: attempt, promotions: 0 });
    return planTest({ ...NUMBERS, alpha });
  };
  let proven = 0;
  for (let row = 0; row < rows; row++) {
    let test = testOf(1);
    let state = startEProcess();
    for (let day = 0; day < days && !isProven(state, test); day++) {
      if (way === "anew") {
        test = testOf(day + 1);
        state = startEProcess();
      }
      const own = lift + 0.02 * (lift > 0 ? 2 * random.next() - 1 : Math.min(0, 1 - 2 * random.next()));
      for (let user = 0; user < usersADay && !isProven(state, test); user++) {
        state = nextEProcess(state, test, own + (random.next() < 0.5 ? 0.1 : -0.1));
      }
    }
    if (isProven(state, test)) proven++;
  }
  return proven / rows;
}
