import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Random, seededRandom } from "../../../models/data/random.ts";
import { isProven, nextEProcess, startEProcess } from "../../../models/gate/e-process.ts";
import { explainHoldback } from "../../../models/gate/explain-holdback.ts";
import {
  armOf,
  type HeldUser,
  holdbackStanding,
  pairedDifferences,
  sideTest,
} from "../../../models/gate/holdback.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";

const CAP = 0.4;
const figure = { test: "capped", cap: CAP, variance: 0.011 } as const;
const { alpha } = DEFAULT_POLICY;

/** A user's nDCG: often nothing, seldom much; skewed, with the given mean. */
function figureOf(random: Random, mean: number): number {
  return random.next() < 0.4 ? 0 : Math.min(1, (-Math.log(1 - random.next()) * mean) / 0.6);
}

/** Pairs after which harm is told in a round, looking after each; null when it never is. */
function harmAfter(round: number, differences: readonly number[]): number | null {
  const test = sideTest({ round, figure }, DEFAULT_POLICY);
  let state = startEProcess();
  for (const [place, difference] of differences.entries()) {
    state = nextEProcess(state, test, -difference);
    if (isProven(state, test)) return place + 1;
  }
  return null;
}

function round(random: Random, pairs: number, floor: number, served: number): number[] {
  return Array.from({ length: pairs }, () => {
    const twin = Math.min(figureOf(random, served), CAP);
    return twin - Math.min(figureOf(random, floor), CAP);
  });
}

describe("who is held back", () => {
  it("is a share of the users by hash, with as many twins and nobody in both; nobody where it is off", () => {
    const arms = Array.from({ length: 20_000 }, (_, user) => armOf(`u${user}`, 0.05));
    const of = (arm: string | null): number => arms.filter((one) => one === arm).length;
    for (const arm of ["floor", "twin"]) assert.ok(Math.abs(of(arm) - 1000) < 150, `${arm}: ${of(arm)}`);
    assert.deepEqual(
      arms.map((_, user) => armOf(`u${user}`, 0)).filter((arm) => arm !== null),
      [],
    );
    const larger = arms.map((_, user) => armOf(`u${user}`, 0.1));
    assert.ok(arms.every((arm, user) => arm !== "floor" || larger[user] === "floor"));
  });
});

describe("what all promotions together bring", () => {
  const held = (arm: "floor" | "twin", ...figures: number[]): HeldUser[] =>
    figures.map((one) => ({ arm, figure: one }));

  it("pairs the i-th of one arm with the i-th of the other; who has no partner waits", () => {
    const users = [...held("twin", 0.3, 0.9), ...held("floor", 0.1), ...held("twin", 0.2)];
    assert.deepEqual(pairedDifferences(users, 0.5), [0.3 - 0.1]);
    assert.deepEqual(pairedDifferences([...users, ...held("floor", 0.2)], 0.5), [0.3 - 0.1, 0.5 - 0.2]);
  });

  it("is bounded on either side, and says gain, harm, or neither", () => {
    const random = seededRandom(5);
    const users = (floor: number, served: number): HeldUser[] =>
      Array.from({ length: 1200 }, () => [
        ...held("floor", figureOf(random, floor)),
        ...held("twin", figureOf(random, served)),
      ]).flat();
    const standing = (floor: number, served: number) =>
      holdbackStanding({ round: 1, figure, users: users(floor, served) }, DEFAULT_POLICY);
    const gain = standing(0.06, 0.11);
    assert.ok(gain.lowerBound > 0 && gain.lowerBound < gain.lift && gain.lift < gain.upperBound);
    assert.match(
      explainHoldback(gain),
      /^Proven to pay: all promotions together bring \+0\.0\d+ nDCG by 1,200 users/,
    );
    const harm = standing(0.11, 0.06);
    assert.ok(harm.found === "harm" && harm.upperBound < 0);
    assert.match(explainHoldback(harm), /^HARM: .*the floor alone would serve them better\.$/);
    const none = standing(0.08, 0.08);
    assert.deepEqual([none.found, none.lowerBound < 0 && none.upperBound > 0], ["open", true]);
    const nobody = holdbackStanding({ round: 1, figure, users: [] }, DEFAULT_POLICY);
    assert.deepEqual([nobody.pairs, nobody.lowerBound, nobody.upperBound], [0, -CAP, CAP]);
  });

  it("tells harm without reason in at most α of the runs, looking after every pair", () => {
    const random = seededRandom(11);
    const runs = 600;
    let alarms = 0;
    for (let run = 0; run < runs; run++) {
      if (harmAfter(1, round(random, 1500, 0.08, 0.08)) !== null) alarms++;
    }
    assert.ok(alarms <= alpha * runs, `${alarms} of ${runs}`);
  });

  it("keeps to α over all rounds together, although the same users come back in each of them", () => {
    const random = seededRandom(12);
    const runs = 400;
    let alarmed = 0;
    for (let run = 0; run < runs; run++) {
      // Whoever likes the floor better does so every time: the rounds tell the same again.
      const likings = round(random, 300, 0.08, 0.08);
      const again = (): number[] =>
        likings.map((liking) => Math.max(-CAP, Math.min(CAP, liking + 0.01 * random.normal())));
      if ([1, 2, 3, 4, 5, 6].some((number) => harmAfter(number, again()) !== null)) alarmed++;
    }
    assert.ok(alarmed <= alpha * runs, `${alarmed} of ${runs}`);
  });

  it("finds slow decay in the round in which it does harm, however much was gained before", () => {
    const random = seededRandom(13);
    const runs = 100;
    const found: number[] = [];
    let early = 0;
    for (let run = 0; run < runs; run++) {
      if (harmAfter(1, round(random, 1000, 0.06, 0.1)) !== null) early++;
      const after = harmAfter(2, round(random, 2000, 0.09, 0.06));
      if (after !== null) found.push(after);
    }
    assert.equal(early, 0);
    assert.ok(found.length >= 0.9 * runs, `${found.length} of ${runs}`);
    const median = found.sort((a, b) => a - b)[Math.floor(found.length / 2)];
    assert.ok(median < 600, `${median} pairs`);
  });
});
