import type { Random } from "../../../models/data/random.ts";

/** Draws one user's paired difference. */
export type Draw = (random: Random) => number;

/** Shapes of "no true lift": each has mean exactly 0 and values in [−1, 1]. */
export const NULLS: Readonly<Record<string, Draw>> = {
  "symmetric: −.3, 0, +.3": (random) => {
    const u = random.next();
    return u < 0.2 ? -0.3 : u < 0.8 ? 0 : 0.3;
  },
  "rare large wins, common small losses": (random) => (random.next() < 0.02 ? 0.98 : -0.02),
  "rare large losses, common small wins": (random) => (random.next() < 0.02 ? -0.98 : 0.02),
  "a catastrophe in a thousand, small wins else": (random) => (random.next() < 0.001 ? -0.999 : 0.001),
  "hits that cancel: −1, 0, +1": (random) => Number(random.next() < 0.05) - Number(random.next() < 0.05),
};

/** Wins often and little, loses rarely and much; mean 0: misleads a plain t-test on few users. */
export const SKEWED_NULL: Draw = (random) => {
  const u = random.next();
  return u < 0.24 ? 0.1 : u < 0.28 ? -0.6 : 0;
};

/** The same shape with another mean, exactly, and still within [−1, 1]. */
export function withMean(draw: Draw, mean: number): Draw {
  return (random) => mean + (1 - Math.abs(mean)) * draw(random);
}

/** −1, 0 or +1 with mean .02 and variance .15: the planned upgrade of EVALUATION. */
export const PLANNED_LIFT: Draw = (random) => {
  const u = random.next();
  return u < 0.065 ? -1 : u < 0.15 ? 1 : 0;
};

/**
 * Requests of one user are alike: the user's whole taste lies on one side, by up to .3, and heavy users ask up to
 * 40 times. Mean over users exactly 0.
 */
export function correlatedRequests(random: Random): number[] {
  const taste = 0.6 * (random.next() - 0.5);
  const requests = random.next() < 0.2 ? 40 : 2;
  return Array.from({ length: requests }, () => taste + 0.1 * (random.next() - 0.5));
}
