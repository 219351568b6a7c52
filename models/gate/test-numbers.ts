import { canonicalJson, sha256 } from "../canonical-json.ts";
import { type Policy, policySha256 } from "./policy.ts";

/** Under which numbers a comparison was opened; `testSha256` is absent in those that earlier versions opened. */
export interface OpenedUnder {
  readonly policySha256: string;
  readonly testSha256?: string | undefined;
}

/**
 * The numbers of a policy that a running test rests on: its α, its margin and its bets, and what a user's figure is.
 * Another policy with the same ones leaves what is open as it is; its other limits count from the next look on.
 */
export function testSha256({ alpha, alphaSpending, mde, margins, interleaving, shadow }: Policy): string {
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
    }),
  );
}

/** Whether the test goes on under this policy. */
export function goesOnUnder(opened: OpenedUnder, policy: Policy): boolean {
  if (opened.testSha256 !== undefined) return opened.testSha256 === testSha256(policy);
  return opened.policySha256 === policySha256(policy) || opened.policySha256 === firstSha256(policy);
}

/** The hash that a policy had before it knew some of its fields, and before two of its defaults were lowered. */
function firstSha256({ evidence: _, alphaSpending: _spending, ...policy }: Policy): string {
  const { panelDays: _days, ...shadow } = policy.shadow;
  const { patienceUsers: _users, ...promotion } = policy.promotion;
  const { userEvents: _events, largestUserShare: _share, ...training } = policy.training;
  const { guardrails } = policy;
  return sha256(
    canonicalJson({
      ...policy,
      promotion,
      training,
      shadow: { ...shadow, minimumUsers: shadow.minimumUsers === 30 ? 100 : shadow.minimumUsers },
      guardrails: {
        ...guardrails,
        diversityRatio: guardrails.diversityRatio === 0.7 ? 0.9 : guardrails.diversityRatio,
      },
    }),
  );
}
