import type { TSchema } from "typebox";
import { canonicalJson, isRecord, sha256 } from "../canonical-json.ts";
import { type Policy, policySha256 } from "./policy.ts";
import { policySchema } from "./policy-schema.ts";

/** Under which numbers a comparison was opened; `testSha256` is absent in those that earlier versions opened. */
export interface OpenedUnder {
  readonly policySha256: string;
  readonly testSha256?: string | undefined;
}

/**
 * The numbers of a policy that a running test rests on: its α, its margin and its bets, what a figure is and who counts.
 * Another policy with the same ones leaves what is open as it is; its other limits count from the next look on.
 */
export function testSha256({
  alpha,
  alphaSpending,
  mde,
  margins,
  interleaving,
  shadow,
  evidence,
}: Policy): string {
  const { attributionDays, attributionEvents, panelDays, relevantEvents, requestsPerUser } = shadow;
  return sha256(
    canonicalJson({
      alpha,
      // Left out where it is what it was before there was a choice: comparisons opened then go on.
      ...(alphaSpending !== "family" && { alphaSpending }),
      mde,
      margins,
      interleaving: { alphaShare: interleaving.alphaShare, mde: interleaving.mde },
      shadow: { attributionDays, attributionEvents, panelDays, relevantEvents, requestsPerUser },
      evidence: { minimumUserAge: evidence.minimumUserAge },
    }),
  );
}

/** Whether the test goes on under this policy. */
export function goesOnUnder(opened: OpenedUnder, policy: Policy): boolean {
  if (opened.testSha256 !== undefined) return opened.testSha256 === testSha256(policy);
  return opened.policySha256 === policySha256(policy) || opened.policySha256 === firstSha256(policy);
}

/** The hash that a policy had before it knew the knobs marked `later`, and before two of its defaults were lowered. */
function firstSha256(policy: Policy): string {
  const { shadow, guardrails, ...others } = knownAtFirst(policySchema as TSchema, policy);
  return sha256(
    canonicalJson({
      ...others,
      shadow: before(shadow, "minimumUsers", { now: 30, first: 100 }),
      guardrails: before(guardrails, "diversityRatio", { now: 0.7, first: 0.9 }),
    }),
  );
}

interface Knob {
  readonly later?: boolean;
  readonly properties?: Readonly<Record<string, Knob>>;
}

/** The part of a policy that the first release knew. */
function knownAtFirst({ properties = {} }: Knob, values: object): Record<string, unknown> {
  const known = Object.entries(values).filter(([name]) => properties[name]?.later !== true);
  return Object.fromEntries(
    known.map(([name, value]) => [name, isRecord(value) ? knownAtFirst(properties[name], value) : value]),
  );
}

/** A group whose knob has its present default gets the default that it had. */
function before(group: unknown, name: string, { now, first }: { now: number; first: number }): unknown {
  return isRecord(group) && group[name] === now ? { ...group, [name]: first } : group;
}
