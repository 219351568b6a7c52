import type { Trial } from "../artifact/manifest.ts";

/** The best trial of the largest budget that any got through with; the earlier of two alike. Null when all failed. */
export function bestTrial(trials: readonly Trial[]): Trial | null {
  const sound = trials.filter(({ failure }) => failure === undefined);
  const budget = Math.max(...sound.map((trial) => trial.budget));
  return sound
    .filter((trial) => trial.budget === budget)
    .reduce<Trial | null>((best, trial) => (best && best.score >= trial.score ? best : trial), null);
}
