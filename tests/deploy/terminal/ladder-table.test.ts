import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ladderInWords, ladderTable, liveLines } from "../../../deploy/terminal/ladder-table.ts";
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
  forecasts: [],
  holdback: null,
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
      "Live: als-1 since 2026-01-02 03:04 UTC; a rollback returns to item-knn-1, below\nit popularity-1.",
    ]);
    assert.match(
      liveLines({ ...live, version: "popularity-1", stack: [], previous: null })[0],
      /it is the floor/,
    );
    assert.deepEqual(liveLines(null), ["Nothing is live yet."]);
  });

  it("fits into 80 characters, with versions in one column to be copied from", () => {
    const offline = { ndcg: { mean: 0.0525, low: 0.037, high: 0.071 } } as LadderVersion["offline"];
    const long = version("popular-lately-0123456789ab", { state: "QUARANTINED", offline });
    const test = { users: 12_345, lift: -0.0242, lowerBound: -0.03 };
    const judged = version("als-1", { lastDecision: decision({ verdict: "hold", test }) });
    const shown = ladderTable(ladder(judged, long)).split("\n");
    assert.ok(
      shown.every(({ length }) => length <= 80),
      shown.join("\n"),
    );
    assert.deepEqual(shown.slice(-2), [
      "3      als-1                        ▶ LIVE       –              −0.0242  12345",
      "3      popular-lately-0123456789ab  QUARANTINED  0.0525 ± .017  –        –",
    ]);
  });

  it("names each verdict by version and state, so that no two lines look alike", () => {
    const shown = ladderInWords(
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
    const shown = ladderInWords(
      ladder(version("als-2", { state: "QUARANTINED", reason, lastDecision: decision({ verdict: "pass" }) })),
    );
    assert.match(shown, /als-2 \(QUARANTINED\): Failed 5 requests in a row on a replica\.\n?/);
    assert.doesNotMatch(shown, /Passed/);
  });

  it("leaves out what a later version of the same line superseded, and counts it", () => {
    const old = ["als-8", "als-9"].map((name) =>
      version(name, { state: "RETIRED", reason: "superseded by als-10, which goes on with its users" }),
    );
    const shown = ladderInWords(ladder(version("als-1"), ...old, version("als-7", { state: "RETIRED" })));
    assert.doesNotMatch(shown, /als-[89]/);
    assert.match(shown, /\nand 2 that a later version of the same line superseded/);
    assert.match(shown, /als-7 +RETIRED/);
  });

  it("foretells what a verdict on a new challenger would take, a line a rung", () => {
    const sentence = "a lift of 5 % needs about 310 users, some 20 days";
    const forecasts = [{ baseline: "als-1", phase: 4 as const, usersPerDay: 15.34, lifts: [], sentence }];
    const shown = ladderInWords({ ...ladder(version("als-1")), forecasts });
    assert.match(shown, /\nA challenger trained now, at 15 users a day\n {2}phase 4: a lift of 5 % needs/);
    assert.doesNotMatch(ladderInWords(ladder(version("als-1"))), /trained now/);
  });

  it("does not call open, or held, what an operator has made live meanwhile, and leaves versions as they are", () => {
    const held = decision({ verdict: "hold" });
    const forced = version("als-1", {
      state: "LIVE",
      reason: "forced by an operator",
      lastDecision: held,
      lastLook: look("als-1", { baseline: "popularity-1" }),
    });
    const left = version("knn-0123456789ab", {
      state: "PREVIOUS",
      reason: "als-0123456789ab was promoted over it",
    });
    const shown = ladderInWords(ladder(forced, left));
    assert.match(shown, /als-1 \(▶ LIVE\): Forced by an operator\.\n/);
    assert.match(shown, /\(PREVIOUS\): als-0123456789ab was promoted over it\./);
    assert.doesNotMatch(shown, /Held|Open,/);
  });

  it("shows the lift that the shadow found with its users, and no bounds: the end of a range says nothing", () => {
    const test = { users: 33, lift: 0.0242, lowerBound: -1 };
    const shown = ladderTable(
      ladder(version("als-2", { lastDecision: decision({ verdict: "hold", test }) })),
    );
    assert.match(shown, /als-2 +SHADOWING +– +\+0\.0242 +33\n?/);
    assert.doesNotMatch(shown, /≥|1\.0000/);
  });

  it("lists what is open with users and days to go, and says why a later attempt must prove more", () => {
    const first = ladderInWords(ladder(version("als-2", { lastLook: look("als-2") })));
    assert.match(first, /Open, against als-1\n/);
    assert.match(
      first,
      /als-2 +40 +\+0\.0040 +97\.5 % \(try 1\) +about 90 more users, some 3 days at\n +this rate/,
    );
    assert.doesNotMatch(first, /part of α/);
    const standing = { attempt: 3, confidence: 0.9958, lift: -0.001, moreUsers: null, usersPerDay: null };
    const later = ladderInWords(ladder(version("als-2", { lastLook: look("als-2", { standing }) })));
    assert.match(later, /Each attempt at the same baseline takes its part of α, so the next must be\nproven/);
    assert.match(later, /another lift: no number/);
    const settled = ladderInWords(ladder(version("als-2", { lastLook: look("als-2", { verdict: "pass" }) })));
    assert.doesNotMatch(settled, /Open,/);
  });
});
