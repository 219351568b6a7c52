import { mean, sampleVariance } from "../evaluation/moments.ts";
import type { Phase } from "../recipe.ts";
import { alphaOfAttempt, alphaOfDiscovery, type Discovery } from "./alpha-spending.ts";
import { type FigurePlan, planFigure } from "./capped-figure.ts";
import { type ChallengeKind, marginOf } from "./margin.ts";
import type { Policy } from "./policy.ts";
import { usersForPower } from "./power.ts";
import { alphaOfStage } from "./stage.ts";
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
const FORECAST_LIFTS: readonly number[] = [0.01, 0.02, 0.05];

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

/** What is known of a baseline before anything is trained against it. */
export interface BaselineFacts {
  /** Its nDCG on the holdout, a figure a user. */
  readonly figures: readonly number[];
  readonly usersPerDay: number;
  /** k of the next attempt at it. */
  readonly attempt: number;
  /** Where α limits the share of false promotions: the next pair and the promotions before it. */
  readonly discovery?: Discovery | undefined;
}

/** A challenger of which nothing is known but its rung, and whether it is the live recipe on new data. */
export interface ToCome {
  readonly kind: ChallengeKind;
  readonly phases: { readonly challenger: Phase; readonly baseline: Phase };
}

/** How the figures of two models for the same users go together, where nothing is known of one of them. */
const CORRELATION = 0.5;
const HORIZON_DAYS = 365;

/**
 * The lifts that a team asks about. The challenger's figure is taken to vary like the baseline's,
 * σ² = 2(1 − ρ)·σ_b² with ρ = ½, and a request to cost no more: the price of its CPU is known once it is trained.
 */
export function forecastVerdicts(facts: BaselineFacts, toCome: ToCome, policy: Policy): Forecast[] {
  const { figures, usersPerDay, attempt, discovery } = facts;
  const cap = planFigure(figures.map((baseline) => ({ challenger: baseline, baseline }))).cap;
  const capped = figures.map((figure) => Math.min(figure, cap));
  const variance = 2 * (1 - CORRELATION) * (capped.length < 2 ? 1 : sampleVariance(capped));
  const baselineMean = capped.length === 0 ? 0 : mean(capped);
  const spent =
    discovery === undefined
      ? alphaOfAttempt(policy.alpha, attempt)
      : alphaOfDiscovery(policy.alpha, discovery);
  const inputs: ForecastInputs = {
    figure: { test: "capped", cap, variance },
    baselineMean,
    margin: marginOf(
      { ...toCome, baselineMean, cpuMsPerRequest: { challenger: 1, baseline: 1 } },
      policy.margins,
    ),
    mde: policy.mde,
    alpha: alphaOfStage(spent, "shadow", policy),
    usersPerDay,
    attributionDays: policy.shadow.panelDays + policy.shadow.attributionDays,
    horizonDays: HORIZON_DAYS,
  };
  return FORECAST_LIFTS.map((lift) => forecast(inputs, lift));
}
