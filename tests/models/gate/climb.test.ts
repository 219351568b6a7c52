import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Climber, whoClimbs } from "../../../models/gate/climb.ts";

const patience = { livePhase: 1, patienceUsers: 200 };
const climber = (version: string, phase: number, rest: Partial<Climber> = {}): Climber => ({
  version,
  phase,
  cpuMsPerRequest: phase,
  passed: true,
  moreUsers: 50,
  usersSincePass: 0,
  ...rest,
});
const never = () => false;

describe("which of several climbs", () => {
  it("nobody, while nobody passed", () => {
    const climb = whoClimbs([climber("als", 3, { passed: false })], never, patience);
    assert.deepEqual(climb, { climbs: null, waits: null });
  });

  it("the simplest that passed", () => {
    const { climbs } = whoClimbs(
      [climber("als", 3), climber("knn", 2), climber("sasrec", 4)],
      never,
      patience,
    );
    assert.equal(climbs, "knn");
  });

  it("the cheaper of two on one rung", () => {
    const two = [climber("slow", 3, { cpuMsPerRequest: 9 }), climber("quick", 3)];
    assert.equal(whoClimbs(two, never, patience).climbs, "quick");
  });

  it("a costlier one where their own pair passed too", () => {
    const three = [climber("knn", 2), climber("als", 3), climber("sasrec", 4)];
    const over = (pairs: readonly string[]) => (c: string, b: string) => pairs.includes(`${c}>${b}`);
    assert.deepEqual(whoClimbs(three, over(["sasrec>knn"]), patience), {
      climbs: "sasrec",
      insteadOf: ["knn"],
      waits: null,
    });
    // Proven over the simple one, but not over the better one between.
    assert.equal(whoClimbs(three, over(["als>knn", "sasrec>knn"]), patience).climbs, "als");
  });

  it("waits for simpler ones that are about to pass, and only for so long", () => {
    const passed = climber("sasrec", 4, { usersSincePass: 5 });
    const hopeful = climber("knn", 2, { passed: false });
    assert.deepEqual(whoClimbs([passed, hopeful], never, patience), {
      climbs: null,
      waits: { version: "sasrec", for: ["knn"], usersLeft: 195 },
    });
    const patient = { ...passed, usersSincePass: 200 };
    assert.equal(whoClimbs([patient, hopeful], never, patience).climbs, "sasrec");
    assert.equal(whoClimbs([passed, { ...hopeful, moreUsers: null }], never, patience).climbs, "sasrec");
    assert.equal(whoClimbs([passed, { ...hopeful, moreUsers: 196 }], never, patience).climbs, "sasrec");
  });

  it("does not wait for one on the live version's own rung, which it would not skip", () => {
    const others = [climber("lately", 1, { passed: false })];
    assert.equal(whoClimbs([climber("knn", 2), ...others], never, patience).climbs, "knn");
  });

  it("does not wait for one that is as complex, or more", () => {
    const passed = climber("als", 3);
    const others = [climber("slist", 3, { passed: false }), climber("sasrec", 4, { passed: false })];
    assert.equal(whoClimbs([passed, ...others], never, patience).climbs, "als");
  });
});
