import { type ItemId, itemId } from "../../../models/data/ids.ts";
import { listFaults, noFaults } from "../../../models/evaluation/list-faults.ts";
import type { ShadowEvidence } from "../../../models/gate/evidence.ts";
import type { ReasonCode } from "../../../models/gate/reasons.ts";
import type { ScoredItem } from "../../../models/recommender.ts";
import { healthyEvidence, withConstantList } from "../../support/gate-evidence.ts";

export interface BrokenChallenger {
  readonly name: string;
  readonly expected: ReasonCode;
  readonly evidence: ShadowEvidence;
}

const known = new Set<ItemId>(Array.from({ length: 40 }, (_, index) => itemId(`i${index}`)));
const seen = new Set<ItemId>([itemId("i30"), itemId("i31")]);
const good: readonly ScoredItem[] = [...known]
  .slice(0, 10)
  .map((item, place) => ({ itemId: item, score: -place }));

/** Faults found by the real list check when one list in a thousand is broken as given. */
function withBrokenList(list: readonly ScoredItem[]): Partial<ShadowEvidence> {
  const faults = noFaults();
  for (const fault of listFaults(list, { k: 10, seen, known })) faults[fault] += 5;
  return { faults };
}

/** Each has a planted lift of +0.10 and one defect. */
export function brokenChallengers(seed: number): BrokenChallenger[] {
  const healthy = healthyEvidence({ lift: 0.1, seed });
  const broken = (name: string, expected: ReasonCode, defect: Partial<ShadowEvidence>): BrokenChallenger => ({
    name,
    expected,
    evidence: { ...healthy, ...defect },
  });
  const repeated = [...good.slice(0, 9), good[0]];
  const asked = 5000;
  const lived = healthy.latencyMs ?? { challenger: [], baseline: [] };
  const slowBaseline = lived.baseline.map((ms) => 10 * ms);
  return [
    broken(
      "NaN scores",
      "NON_FINITE_SCORE",
      withBrokenList(good.map((item) => ({ ...item, score: Number.NaN }))),
    ),
    broken("empty lists", "EMPTY_LIST", withBrokenList([])),
    broken("short lists", "SHORT_LIST", withBrokenList(good.slice(0, 4))),
    broken("duplicates", "DUPLICATE_ITEM", withBrokenList(repeated)),
    broken(
      "seen items",
      "SEEN_ITEM",
      withBrokenList([...good.slice(0, 9), { itemId: itemId("i30"), score: -9 }]),
    ),
    broken(
      "unknown items",
      "UNKNOWN_ITEM",
      withBrokenList([...good.slice(0, 9), { itemId: itemId("x"), score: -9 }]),
    ),
    broken("1 % errors", "FAILURE_RATE", { requests: { asked, failures: asked / 100, timeouts: 0 } }),
    broken("hangs", "FAILURE_RATE", { requests: { asked, failures: 0, timeouts: asked } }),
    broken("3× the baseline's p99", "LATENCY", {
      latencyMs: { challenger: slowBaseline.map((ms) => 3 * ms), baseline: slowBaseline },
    }),
    broken("one list for everybody", "COVERAGE", { lists: withConstantList(healthy.lists ?? []) }),
    broken("trained past the cut", "TRAINED_PAST_CUT", {
      window: { trainedThrough: 2000, judgedFrom: 1001 },
    }),
    broken("two answers to one query", "TWO_ANSWERS", { repeats: { checked: 50, different: 1 } }),
  ];
}
