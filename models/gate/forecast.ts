import type { FigurePlan } from "./capped-figure.ts";
import { usersForPower } from "./power.ts";
import { cappedTest } from "./test-plan.ts";

export interface ForecastInputs {
  readonly figure: FigurePlan;
  /** m_b, mean nDCG of the baseline. */
  readonly baselineMean: number;
  /** δ */
  readonly margin: number;
  readonly mde: number;
  readonly alpha: number;
  /** Users whose windows close a day. */
  readonly usersPerDay: number;
  /** Days until a user's figure is known. */
  readonly attributionDays: number;
  /** Nobody waits longer for a verdict. */
  readonly horizonDays: number;
}

export interface Forecast {
  /** Share of the baseline's nDCG. */
  readonly lift: number;
  /** Users with whom 80 % of such challengers are proven; null when none ever is. */
  readonly users: number | null;
  readonly days: number | null;
  readonly provable: "yes" | "within-margin" | "too-few-users";
}

const POWER = 0.8;
export const FORECAST_LIFTS: readonly number[] = [0.01, 0.02, 0.05];

/** Before anything is trained: how long a verdict on a given lift would take here, or that there would be none. */
export function forecast(inputs: ForecastInputs, lift: number): Forecast {
  const { figure, baselineMean, margin, mde, alpha, usersPerDay, attributionDays, horizonDays } = inputs;
  const gap = lift * baselineMean - margin;
  if (gap <= 0) return { lift, users: null, days: null, provable: "within-margin" };
  // The holdout is taken to foretell the lift that is asked about.
  const foretold = { ...figure, lift: lift * baselineMean };
  const test = cappedTest({ margin, mde, variance: figure.variance, alpha, figure: foretold });
  const users = usersForPower(test, gap, figure.variance, POWER);
  const days = users === null || !(usersPerDay > 0) ? null : users / usersPerDay + attributionDays;
  const isSoon = days !== null && days <= horizonDays;
  return { lift, users, days, provable: isSoon ? "yes" : "too-few-users" };
}
