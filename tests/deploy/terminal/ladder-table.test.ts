import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ladderTable, liveLines } from "../../../deploy/terminal/ladder-table.ts";
import type { DecisionSummary } from "../../../services/registry/decision-summary.ts";
import type { LivePointer } from "../../../services/registry/types.ts";
import type { Ladder, LadderVersion } from "../../../services/serving/routes/ladder.ts";
import type { Look } from "../../../services/shadow/looks.ts";

const live: LivePointer = {
  version: "als-1",
  lineage: "",
  epoch: 3,
  liveEpoch: 3,
  previous: "item-knn-1",
  stack: ["item-knn-1", "popularity-1"],
  byRollback: false,
  lastLeft: null,
  floor: "popularity-1",
  since: "2026-01-02T03:04:05.000Z",
  canary: null,
};

const version = (name: string, more: Partial<LadderVersion> = {}): LadderVersion => ({
  version: name,
  phase: 3,
  recipe: name.slice(0, name.lastIndexOf("-")),
  state: "SHADOWING",
  reason: "registered",
  manifestSha256: "",
  sha256: "",
  dataSha256: "",
  registeredAt: "2026-01-01T00:00:00.000Z",
  attempts: 1,
  live: name === live.version,
  offline: null,
  cost: null,
  diagnosis: null,
  lastDecision: null,
  lastLook: null,
  ...more,
});

const ladder = (...versions: LadderVersion[]): Ladder => ({
  live,
  phases: [{ phase: 3, name: "factorization", summary: "", live: true, recipes: [], versions }],
});

const look = (challenger: string, more: Partial<Look> = {}): Look => ({
  about: "shadow",
  at: "2026-01-03T00:00:00.000Z",
  challenger,
  baseline: "als-1",
  verdict: "hold",
  users: 40,
  standing: { attempt: 1, confidence: 0.975, lift: 0.004, moreUsers: 90, usersPerDay: 30 },
  sentence: "Held: after 40 users the lift of +0.004 is compatible with none.",
  ...more,
});

const decision = (ruling: object): DecisionSummary =>
  ({ sentence: "Passed: after 60 users.", ruling }) as unknown as DecisionSummary;

describe("the ladder on a terminal", () => {
  it("leads with what is live, since when, and the stack that a rollback goes down", () => {
    assert.deepEqual(liveLines(live), [
      "Live: als-1 since 2026-01-02 03:04 UTC; a rollback returns to item-knn-1, below it popularity-1.",
    ]);
    assert.match(
      liveLines({ ...live, version: "popularity-1", stack: [], previous: null })[0],
      /it is the floor/,
    );
    assert.deepEqual(liveLines(null), ["Nothing is live yet."]);
  });

  it("names each verdict by version and state, so that no two lines look alike", () => {
    const shown = ladderTable(
      ladder(version("als-1", { state: "LIVE" }), version("als-2"), version("als-3")),
    );
    const lines = shown.split("\n").filter((line) => line.startsWith("  als-"));
    assert.deepEqual(
      lines.map((line) => line.split(":")[0]),
      ["  als-1 (▶ LIVE)", "  als-2 (SHADOWING)", "  als-3 (SHADOWING)"],
    );
  });

  it("tells what was quarantined by why it was left, and not by how it once passed", () => {
    const reason = "failed 5 requests in a row on a replica";
    const shown = ladderTable(
      ladder(version("als-2", { state: "QUARANTINED", reason, lastDecision: decision({ verdict: "pass" }) })),
    );
    assert.match(shown, /als-2 \(QUARANTINED\): Failed 5 requests in a row on a replica\.\n?/);
    assert.doesNotMatch(shown, /Passed/);
  });

  it("shows a bound where something is excluded, and none at the end of its range", () => {
    const test = { users: 33, lift: 0.0242, capped: { cap: 0.4, lift: 0.02 } };
    const excluded = decision({ verdict: "hold", test: { ...test, lowerBound: -0.0123 } });
    const nothing = decision({ verdict: "hold", test: { ...test, lowerBound: -0.4 } });
    const first = decision({ verdict: "hold", test: { ...test, capped: undefined, lowerBound: -1 } });
    const cells = (lastDecision: DecisionSummary) =>
      ladderTable(ladder(version("als-2", { lastDecision }))).replace(/[│\s]+/g, " ");
    assert.match(cells(excluded), /\+0\.0242, ≥ −0\.0123/);
    for (const end of [nothing, first]) assert.doesNotMatch(cells(end), /≥/);
  });

  it("lists what is open with users and days to go, and says why a later attempt must prove more", () => {
    const first = ladderTable(ladder(version("als-2", { lastLook: look("als-2") })));
    assert.match(first, /Open\n/);
    assert.match(
      first.replace(/[│\s]+/g, " "),
      /als-2 als-1 40 \+0\.0040 97\.5 % \(attempt 1\) about 90 more users, some 3 days at this rate/,
    );
    assert.doesNotMatch(first, /part of α/);
    const standing = { attempt: 3, confidence: 0.9958, lift: -0.001, moreUsers: null, usersPerDay: null };
    const later = ladderTable(ladder(version("als-2", { lastLook: look("als-2", { standing }) })));
    assert.match(later, /Each attempt at the same baseline takes its part of α/);
    assert.match(later, /no number of users/);
    const settled = ladderTable(ladder(version("als-2", { lastLook: look("als-2", { verdict: "pass" }) })));
    assert.doesNotMatch(settled, /Open\n/);
  });
});
