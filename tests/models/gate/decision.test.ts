import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalJson } from "../../../models/canonical-json.ts";
import {
  type Decision,
  decisionOf,
  recomputeDecision,
  verifyDecisions,
} from "../../../models/gate/decision.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import { type Case, type Ruling, rule } from "../../../models/gate/ruling.ts";
import { GENESIS_SHA256 } from "../../../models/hash-chain.ts";
import { healthyEvidence } from "../../support/gate-evidence.ts";

const evidence = healthyEvidence();
const { kind, challenger, baseline, users, faults, window } = evidence;
const cases: Case[] = [
  {
    about: "screen",
    evidence: {
      kind,
      challenger,
      baseline,
      baselineMean: 0.2,
      cpuMsPerRequest: { challenger: 0.4, baseline: 0.1 },
      users,
      faults,
      window,
      seed: 7,
    },
  },
  { about: "shadow", evidence },
  { about: "shadow", evidence: { ...evidence, users: [{ ...users[0], difference: Number.NaN }] } },
  {
    about: "fleet",
    evidence: {
      live: challenger,
      previous: baseline.version,
      epoch: 2,
      replicas: 3,
      requests: 400,
      errors: 40,
      latency: [],
    },
  },
  { about: "watch", evidence: { live: challenger, previous: baseline, users, variance: 0.01 } },
];

function chain(): Decision[] {
  const decisions: Decision[] = [];
  for (const [index, { about, evidence }] of cases.entries()) {
    const previousSha256 = decisions.at(-1)?.sha256 ?? GENESIS_SHA256;
    const at = `2026-01-0${index + 1}T00:00:00.000Z`;
    const ruled = rule(about, evidence, DEFAULT_POLICY);
    decisions.push(decisionOf(ruled, { actor: "judge", at, previousSha256 }));
  }
  return decisions;
}

const stored = (decision: Decision) => JSON.parse(canonicalJson(decision)) as Decision;

describe("decision records", () => {
  it("give the same evidence value and verdict when a stored one is judged again", () => {
    for (const decision of chain()) {
      const again = recomputeDecision(stored(decision));
      assert.ok(again.sameE && again.sameAlpha && again.sameVerdict, decision.sentence);
    }
  });

  it("notice when a test was run at another α than its stage may spend", () => {
    const [, decision] = chain();
    assert.ok("test" in decision.ruling && decision.ruling.test !== null);
    const ruling = { ...decision.ruling, test: { ...decision.ruling.test, alpha: 0.025 } } as Ruling;
    const { sameAlpha, alpha } = recomputeDecision(stored({ ...decision, ruling }));
    assert.deepEqual([sameAlpha, alpha], [false, { recorded: 0.025, recomputed: 0.0125 }]);
  });

  it("notice when a verdict was written that the evidence does not bear", () => {
    const [, decision] = chain();
    const forged = { ...decision, ruling: { ...decision.ruling, verdict: "reject" as const } };
    assert.equal(recomputeDecision(forged).sameVerdict, false);
  });

  it("form a chain that verifies after a round trip through storage", () => {
    assert.equal(verifyDecisions(chain().map(stored)), null);
    assert.equal(verifyDecisions([]), null);
  });

  it("break the chain at whatever was changed, removed, or put in another order", () => {
    const decisions = chain();
    const changed = decisions.map((decision, index) =>
      index === 1 ? { ...decision, actor: "mallory" } : decision,
    );
    assert.equal(verifyDecisions(changed)?.index, 1);
    assert.equal(verifyDecisions(decisions.filter((_, index) => index !== 1))?.index, 1);
    assert.equal(verifyDecisions([decisions[1], decisions[0]])?.index, 0);
    const evidenceSwapped = { ...decisions[1], hearing: cases[3] };
    assert.match(verifyDecisions([decisions[0], evidenceSwapped])?.problem ?? "", /expected sha256/);
  });

  it("can be verified from the middle, when older records are archived", () => {
    const [first, ...rest] = chain();
    assert.equal(verifyDecisions(rest, first.sha256), null);
    assert.equal(verifyDecisions(rest)?.index, 0);
  });

  it("hold on evidence that did not survive being written, instead of judging what nobody can read", () => {
    const [, , decision] = chain();
    assert.equal(decision.ruling.verdict, "hold");
    assert.ok(decision.ruling.reasons.includes("EVIDENCE_NOT_FINITE"));
  });

  it("name no user, and still show who was counted twice", () => {
    const twice = { ...evidence, users: [...users.slice(0, 200), { ...users[0] }] };
    const decision = decisionOf(rule("shadow", twice, DEFAULT_POLICY), {
      actor: "judge",
      at: "2026-01-01T00:00:00.000Z",
      previousSha256: GENESIS_SHA256,
    });
    assert.ok(!canonicalJson(decision).includes(users[0].user));
    assert.ok(decision.ruling.reasons.includes("USER_COUNTED_TWICE"));
    assert.ok(decision.hearing.about === "shadow");
    const names = decision.hearing.evidence.users.map(({ user }) => user);
    assert.deepEqual([names[0], names[1], names[200]], ["u1", "u2", "u1"]);
  });

  it("are named after their content", () => {
    const [decision] = chain();
    assert.match(decision.id, /^d-[0-9a-f]{16}$/);
    assert.equal(decision.challenger, challenger.version);
    assert.match(decision.sentence, /^Passed the screen: on 400 users of the holdout/);
  });
});
