import { canonicalJson, sha256 } from "../canonical-json.ts";
import { type BrokenLink, brokenLink } from "../hash-chain.ts";
import { type Policy, policySha256 } from "./policy.ts";
import { type Case, type RuledCase, type Ruling, ruleAgain } from "./ruling.ts";
import type { TestResult } from "./test-result.ts";

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
  /** The newer version, whether it serves yet or not, and the older one that it is compared with. */
  readonly challenger: string;
  readonly baseline: string;
  /** The case. Hashes of stored records cover this field's name, and replies of the API carry it: it stays. */
  readonly hearing: Case;
  readonly policy: Policy;
  readonly policySha256: string;
  readonly ruling: Ruling;
  /** The ruling in one sentence. */
  readonly sentence: string;
  readonly previousSha256: string;
  readonly sha256: string;
}

export interface DecisionContext {
  readonly actor: string;
  readonly at: string;
  readonly previousSha256: string;
}

/** The record of a ruling. */
export function decisionOf(ruled: RuledCase, { actor, at, previousSha256 }: DecisionContext): Decision {
  const { about, evidence, policy, ruling, sentence, challenger, baseline } = ruled;
  const content = asWritten({
    formatVersion: 1 as const,
    at,
    actor,
    challenger,
    baseline,
    hearing: { about, evidence } as Case,
    policy,
    policySha256: policySha256(policy),
    ruling,
    sentence,
    previousSha256,
  });
  const hash = sha256(canonicalJson(content));
  return { id: `d-${hash.slice(0, 16)}`, ...content, sha256: hash };
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
  const { about, evidence } = decision.hearing;
  const ruling = ruleAgain(about, evidence, decision.policy);
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

/** Checks hashes and links of a chain, oldest first. Null when it holds. `from` is what the first points to. */
export function verifyDecisions(decisions: readonly Decision[], from?: string): BrokenLink | null {
  const broken = brokenLink(decisions, from);
  // Up to the broken link hashes are what they say.
  for (const [index, decision] of decisions.slice(0, broken?.index).entries()) {
    const problem = ownProblem(decision);
    if (problem !== null) return { index, problem: `decision ${decision.id}: ${problem}` };
  }
  return broken && { ...broken, problem: `decision ${decisions[broken.index].id}: ${broken.problem}` };
}

/** What is wrong with a record whose hash is that of its content. */
function ownProblem({ id, sha256, policy, policySha256: stated }: Decision): string | null {
  const named = `d-${sha256.slice(0, 16)}`;
  if (id !== named) return `expected id ${named}`;
  return policySha256(policy) === stated ? null : "its policy has another sha256";
}

/** Of a sequential test; the screen and the fleet have none. */
function testOf(ruling: Ruling): TestResult | null {
  return "test" in ruling ? ruling.test : null;
}

function asWritten<T>(value: T): T {
  return JSON.parse(canonicalJson(value)) as T;
}
