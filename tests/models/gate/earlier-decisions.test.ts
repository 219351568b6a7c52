import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  type Decision,
  decisionOf,
  recomputeDecision,
  verifyDecisions,
} from "../../../models/gate/decision.ts";
import { rule } from "../../../models/gate/ruling.ts";

/** One record of each kind, as version 0.1.0 wrote them. */
const FILE = new URL("../../../../tests/models/gate/earlier-decisions.jsonl", import.meta.url);
const decisions = readFileSync(FILE, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Decision);

describe("decision records of an earlier version", () => {
  it("form a chain that still verifies", () => {
    assert.deepEqual(
      decisions.map(({ hearing }) => hearing.about),
      ["screen", "shadow", "canary", "watch", "fleet"],
    );
    assert.equal(verifyDecisions(decisions), null);
  });

  it("give the same evidence value, α and verdict when they are judged again", () => {
    for (const decision of decisions) {
      const { sameE, sameAlpha, sameVerdict } = recomputeDecision(decision);
      assert.ok(sameE && sameAlpha && sameVerdict, decision.sentence);
    }
  });

  it("name the newer version as challenger and the older one as baseline, in each kind", () => {
    for (const { hearing, policy, challenger, baseline, actor, at, previousSha256 } of decisions) {
      const again = decisionOf(rule(hearing.about, hearing.evidence, policy), { actor, at, previousSha256 });
      assert.deepEqual([again.challenger, again.baseline], [challenger, baseline]);
      assert.deepEqual(again.hearing, hearing);
    }
  });
});
