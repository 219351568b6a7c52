import { canonicalJson, sha256 } from "../canonical-json.ts";
import { type CanaryEvidence, type CanaryRuling, judgeCanary } from "./canary.ts";
import { decide, type Outcome } from "./decide.ts";
import type { ShadowEvidence } from "./evidence.ts";
import { explain, explainCanary, explainScreen, explainWatch } from "./explain.ts";
import { explainFleet } from "./explain-fleet.ts";
import { type FleetEvidence, type FleetRuling, judgeFleet } from "./fleet.ts";
import { type Policy, policySha256 } from "./policy.ts";
import { type ScreenEvidence, type ScreenRuling, screenChallenger } from "./screening.ts";
import type { TestResult } from "./test-result.ts";
import { type WatchEvidence, type WatchRuling, watchLive } from "./watch.ts";

/** What was judged, with all of its evidence. */
export type Hearing =
  | { readonly about: "screen"; readonly evidence: ScreenEvidence }
  | { readonly about: "shadow"; readonly evidence: ShadowEvidence }
  | { readonly about: "canary"; readonly evidence: CanaryEvidence }
  | { readonly about: "watch"; readonly evidence: WatchEvidence }
  | { readonly about: "fleet"; readonly evidence: FleetEvidence };

export type Ruling = ScreenRuling | Outcome | CanaryRuling | WatchRuling | FleetRuling;

/**
 * A decision record: everything needed to reach the verdict again. `sha256` covers the record without `id` and
 * itself, and thereby `previousSha256`: changing any record breaks every later one.
 */
export interface Decision {
  readonly formatVersion: 1;
  /** `d-` and the first 16 hex digits of the hash. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly actor: string;
  readonly challenger: string;
  readonly baseline: string;
  readonly hearing: Hearing;
  readonly policy: Policy;
  readonly policySha256: string;
  readonly ruling: Ruling;
  /** The ruling in one sentence. */
  readonly sentence: string;
  readonly previousSha256: string;
  readonly sha256: string;
}

/** What the first record of a chain points to. */
export const GENESIS_SHA256 = "0".repeat(64);

export interface DecisionContext {
  readonly policy: Policy;
  readonly actor: string;
  readonly at: string;
  readonly previousSha256: string;
}

/**
 * Judges and records in one step. The evidence first goes through its own serialised form, without its users'
 * names, so that what is judged is exactly what a reader of the record will find.
 */
export function recordDecision(hearing: Hearing, context: DecisionContext): Decision {
  const heard = withoutNames(hearing);
  const { ruling, sentence } = judge(heard, context.policy);
  const { challenger, baseline } = parties(heard);
  const content = asWritten({
    formatVersion: 1 as const,
    at: context.at,
    actor: context.actor,
    challenger,
    baseline,
    hearing: heard,
    policy: context.policy,
    policySha256: policySha256(context.policy),
    ruling,
    sentence,
    previousSha256: context.previousSha256,
  });
  const hash = sha256(canonicalJson(content));
  return { id: `d-${hash.slice(0, 16)}`, ...content, sha256: hash };
}

/** The text to store: canonical, one record a line. */
export function serialiseDecision(decision: Decision): string {
  return canonicalJson(decision);
}

export interface Recomputation {
  readonly ruling: Ruling;
  /** ln E_n of both, where there is a sequential test. */
  readonly logE: { readonly recorded: number | null; readonly recomputed: number | null };
  /** α of the test, as the policy, the attempt and the stage give it. */
  readonly alpha: { readonly recorded: number | null; readonly recomputed: number | null };
  readonly sameE: boolean;
  readonly sameAlpha: boolean;
  readonly sameVerdict: boolean;
}

/** Judges the recorded evidence again under the recorded policy. E and α must agree to 1e-9, the verdict exactly. */
export function recomputeDecision(decision: Decision): Recomputation {
  const { ruling } = judge(decision.hearing, decision.policy);
  const before = testOf(decision.ruling);
  const again = testOf(ruling);
  const logE = { recorded: before?.logE ?? null, recomputed: again?.logE ?? null };
  const alpha = { recorded: before?.alpha ?? null, recomputed: again?.alpha ?? null };
  const sameVerdict =
    ruling.verdict === decision.ruling.verdict &&
    canonicalJson(ruling.reasons) === canonicalJson(decision.ruling.reasons);
  return { ruling, logE, alpha, sameE: isSame(logE), sameAlpha: isSame(alpha), sameVerdict };
}

function isSame({ recorded, recomputed }: Recomputation["logE"]): boolean {
  if (recorded === null || recomputed === null) return recorded === recomputed;
  return Math.abs(recorded - recomputed) <= 1e-9 * Math.max(1, Math.abs(recorded));
}

export interface BrokenLink {
  readonly index: number;
  readonly problem: string;
}

/** Checks hashes and links of a chain, oldest first. Null when it holds. `from` is what the first points to. */
export function verifyDecisions(decisions: readonly Decision[], from = GENESIS_SHA256): BrokenLink | null {
  let previous = from;
  for (const [index, decision] of decisions.entries()) {
    const { id, sha256: stated, ...content } = decision;
    const actual = sha256(canonicalJson(content));
    const broken = (problem: string) => ({ index, problem: `decision ${id}: ${problem}` });
    if (decision.previousSha256 !== previous) {
      return broken(`expected previousSha256 ${previous}, got ${decision.previousSha256}`);
    }
    if (actual !== stated) return broken(`expected sha256 ${actual} of its content, got ${stated}`);
    if (id !== `d-${actual.slice(0, 16)}`) return broken(`expected id d-${actual.slice(0, 16)}`);
    if (policySha256(decision.policy) !== decision.policySha256)
      return broken("its policy has another sha256");
    previous = stated;
  }
  return null;
}

function judge(hearing: Hearing, policy: Policy): { ruling: Ruling; sentence: string } {
  switch (hearing.about) {
    case "screen": {
      const ruling = screenChallenger(hearing.evidence, policy);
      return { ruling, sentence: explainScreen(ruling) };
    }
    case "shadow": {
      const ruling = decide(hearing.evidence, policy);
      return { ruling, sentence: explain(ruling) };
    }
    case "canary": {
      const ruling = judgeCanary(hearing.evidence, policy);
      return { ruling, sentence: explainCanary(ruling, hearing.evidence) };
    }
    case "watch": {
      const ruling = watchLive(hearing.evidence, policy);
      return { ruling, sentence: explainWatch(ruling) };
    }
    case "fleet": {
      const ruling = judgeFleet(hearing.evidence, policy);
      return { ruling, sentence: explainFleet(ruling) };
    }
  }
}

function parties({ about, evidence }: Hearing): { challenger: string; baseline: string } {
  if (about === "watch") return { challenger: evidence.live.version, baseline: evidence.previous.version };
  if (about === "canary") return { challenger: evidence.canary.version, baseline: evidence.live.version };
  if (about === "fleet") return { challenger: evidence.live.version, baseline: evidence.previous };
  return { challenger: evidence.challenger.version, baseline: evidence.baseline.version };
}

/** Of a sequential test; the screen and the fleet have none. */
function testOf(ruling: Ruling): TestResult | null {
  return "test" in ruling ? ruling.test : null;
}

/**
 * Users are numbered as they appear: a record is for everybody to read and is kept for ever, and no verdict turns on
 * who somebody is. One who was counted twice has one number, and shows.
 */
function withoutNames(hearing: Hearing): Hearing {
  const numbers = new Map<string, number>();
  return JSON.parse(canonicalJson(hearing), (key, value: unknown) => {
    if (key !== "user" || typeof value !== "string") return value;
    const number = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, number);
    return `u${number}`;
  }) as Hearing;
}

function asWritten<T>(value: T): T {
  return JSON.parse(canonicalJson(value)) as T;
}
