import { type Random, seededRandom } from "../../../models/data/random.ts";
import { alphaOfAttempt } from "../../../models/gate/alpha-spending.ts";
import { UNCAPPED } from "../../../models/gate/capped-figure.ts";
import { planOf } from "../../../models/gate/decide.ts";
import {
  type EProcessState,
  isProven,
  nextEProcess,
  type SequentialTest,
  startEProcess,
} from "../../../models/gate/e-process.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import { type Policy, parsePolicy } from "../../../models/gate/policy.ts";
import { decidingStage, type Stage } from "../../../models/gate/stage.ts";
import { cappedTest, isCapped } from "../../../models/gate/test-plan.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";
import type { Draw } from "./nulls.ts";

/**
 * The first attempt under this policy may spend .05 in all. Without margins the nulls lie on the edge of H0, and
 * large MDEs bet so much that both tests come near to spending their α within a few thousand users.
 */
const POLICY: Policy = parsePolicy({
  alpha: 0.1,
  mde: 0.1,
  interleaving: { mde: 0.2 },
  margins: { upgradeCap: 0, perPhase: 0, perCostDoubling: 0, refresh: 0 },
});
const EVENTS_A_USER = 10;

/** Users without any lift in the shadow: −1, 0 or +1. */
const SHADOW_NULL: Draw = (random) => Number(random.next() < 0.2) - Number(random.next() < 0.2);
const SHADOW_VARIANCE = 0.32;
/** Users who like both lists alike: all their credits go to the one or to the other. */
const VOTE_NULL: Draw = (random) => (random.next() < 0.5 ? 1 : -1);

export interface RouteSize {
  readonly runs: number;
  /** Users in the shadow, and as many voters after the change of the stage. */
  readonly users: number;
}

/** `random`: the feedback turns list-driven after any user; `late`: when the shadow's test has had all its users. */
export type Turn = "random" | "late";

/**
 * Share of null attempts that promote when the list-driven share of the feedback crosses its limit on the way, so
 * that first the shadow's test decides and then interleaving's. `whole`: the mutant, each test at all of α_k.
 */
export function promotedByEitherRoute(
  turn: Turn,
  spending: "split" | "whole",
  { runs, users }: RouteSize,
  seed: number,
): number {
  const random = seededRandom(seed);
  const evidence = healthyEvidence({ users: 1 });
  const tests: Readonly<Record<Stage, SequentialTest>> = {
    shadow: testOf("shadow", evidence, spending),
    interleaving: testOf("interleaving", evidence, spending),
  };
  let promoted = 0;
  for (let run = 0; run < runs; run++) {
    const turnsAt = turn === "late" ? users : random.integer(users);
    if (isPromoted(tests, turnsAt, users, random)) promoted++;
  }
  return promoted / runs;
}

function testOf(stage: Stage, evidence: ShadowEvidence, spending: "split" | "whole"): SequentialTest {
  const plan = planOf(evidence, POLICY, stage);
  if (plan === null || !isCapped(plan)) throw new Error("expected healthy evidence to have a plan");
  const figure = { ...UNCAPPED, ...(stage === "shadow" && { variance: SHADOW_VARIANCE }) };
  const alpha = spending === "split" ? plan.alpha : alphaOfAttempt(POLICY.alpha, evidence.attempt);
  return cappedTest({ ...plan, figure, alpha });
}

/** A look after every user, by the test that decides at that moment. */
function isPromoted(
  tests: Readonly<Record<Stage, SequentialTest>>,
  turnsAt: number,
  users: number,
  random: Random,
): boolean {
  const states: Record<Stage, EProcessState> = {
    shadow: startEProcess(),
    interleaving: startEProcess(),
  };
  const feedback = { events: 0, listDriven: 0 };
  // Long enough after the turn for the share to cross the limit and for the voters to come.
  const end = turnsAt + Math.ceil(turnsAt / 4) + users;
  for (let user = 0; user < end; user++) {
    feedback.events += EVENTS_A_USER;
    if (user >= turnsAt) feedback.listDriven += EVENTS_A_USER;
    const stage = decidingStage({ feedback }, POLICY);
    if (user < users) states.shadow = nextEProcess(states.shadow, tests.shadow, SHADOW_NULL(random));
    if (stage === "interleaving") {
      states.interleaving = nextEProcess(states.interleaving, tests.interleaving, VOTE_NULL(random));
    }
    if (isProven(states[stage], tests[stage])) return true;
  }
  return false;
}
