import { seededRandom } from "../../models/data/random.ts";
import { cohortOf } from "../../models/evaluation/cohorts.ts";
import { noFaults } from "../../models/evaluation/list-faults.ts";
import type { Pair, ShadowEvidence, ShownToUser, UserComparison } from "../../models/gate/evidence.ts";

export interface EvidenceShape {
  readonly users: number;
  /** True mean of the differences. */
  readonly lift: number;
  readonly standardDeviation: number;
  readonly seed: number;
}

/** Complete, healthy evidence of an UPGRADE from phase 1 to 2 whose only open question is its lift. */
export function healthyEvidence(shape: Partial<EvidenceShape> = {}): ShadowEvidence {
  const { users = 400, lift = 0.1, standardDeviation = 0.1, seed = 1 } = shape;
  const random = seededRandom(seed);
  const comparisons = Array.from({ length: users }, (_, index): UserComparison => {
    const difference = lift + standardDeviation * random.normal();
    return {
      user: `user-${index}`,
      difference: Math.max(-1, Math.min(1, difference)),
      baseline: 0.2 + 0.02 * random.normal(),
      cohort: cohortOf([2, 20, 20, 100][index % 4]),
    };
  });
  const asked = 5000;
  const latencies = (scaleMs: number) => Array.from({ length: 2000 }, () => scaleMs * (1 + random.next()));
  return {
    kind: "UPGRADE",
    challenger: { version: "item-knn-aaaaaaaaaaaa", phase: 2, recipe: "item-knn" },
    baseline: { version: "popular-lately-bbbbbbbbbbbb", phase: 1, recipe: "popular-lately" },
    attempt: 1,
    plan: {
      baselineMean: 0.2,
      variance: 0.01,
      cpuMsPerRequest: { challenger: 0.4, baseline: 0.1 },
      figure: { test: "capped", cap: 0.8, lift: 0.02, variance: 0.01 },
    },
    users: comparisons,
    requests: { asked, failures: 0, timeouts: 0 },
    faults: noFaults(),
    repeats: { checked: 50, different: 0 },
    latencyMs: { challenger: latencies(1), baseline: latencies(1) },
    lists: comparisons.map(() => ({
      challenger: shownOf(random.integer),
      baseline: shownOf(random.integer),
    })),
    catalogueItems: 500,
    sampling: { sampled: 5600, joined: 5000, unanswered: 280, early: 20, pending: 200, shed: 100, failed: 0 },
    sham: { requests: 500, identical: 500 },
    agreement: { requests: asked, identical: 400 },
    feedback: { events: 5000, listDriven: 0 },
    cost: { memoryMb: 120, cpuMsPerRequest: 0.4, trainingSeconds: 3 },
    window: { trainedThrough: 1000, judgedFrom: 1001 },
    interleaving: null,
    lastUpgrade: null,
  };
}

function shownOf(integer: (bound: number) => number): ShownToUser {
  const items = new Set(Array.from({ length: 10 }, () => integer(500)));
  return { items: [...items], novelty: 8 + integer(100) / 100, diversity: 0.6 + integer(100) / 1000 };
}

/** The same list for everybody, on the challenger's side. */
export function withConstantList(lists: readonly Pair<ShownToUser>[]): Pair<ShownToUser>[] {
  return lists.map(({ baseline }) => ({
    challenger: { ...baseline, items: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    baseline,
  }));
}
