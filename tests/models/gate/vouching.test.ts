import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";
import {
  explainSuspicions,
  holdWhereSuspect,
  suspicionsOfLift,
  suspicionsOfLoss,
  vouchFor,
} from "../../../models/gate/vouching.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** So many users of one key, each first seen some time after the one before. */
function users(count: number, apartMs: number, source: string | null = "key-1") {
  return Array.from({ length: count }, (_, n) => ({
    closedAt: 1 + n * apartMs + 14 * DAY_MS,
    origin: { source: source ?? undefined, firstSeen: 1 + n * apartMs },
  }));
}
const rows = (count: number, difference: number, baseline = 0.05) =>
  Array.from({ length: count }, (_, n) => ({
    user: `u${n}`,
    difference: difference + (n % 2 === 0 ? 0.001 : -0.001),
    baseline,
    cohort: "light" as const,
  }));
const plan = (liftUpperBound?: number) => ({
  baselineMean: 0.05,
  variance: 0.01,
  cpuMsPerRequest: { challenger: 1, baseline: 1 },
  liftUpperBound,
});
const nobody = { young: 0, burst: null };

describe("who counts as evidence", () => {
  it("is a user known for the policy's age when the window closes", () => {
    const known = users(3, DAY_MS);
    const young = { closedAt: 10 * DAY_MS, origin: { source: "key-1", firstSeen: 10 * DAY_MS - HOUR_MS } };
    const { counted, vouching } = vouchFor([...known, young], { minimumUserAge: 1 });
    assert.deepEqual(counted, known);
    assert.equal(vouching.young, 1);
  });

  it("is a user whom an earlier version entered, of whom nothing is known", () => {
    const { counted, vouching } = vouchFor([{ closedAt: 5 }], { minimumUserAge: 1 });
    assert.deepEqual([counted.length, vouching], [1, nobody]);
  });

  it("is told by key and hour: the largest burst through one key", () => {
    const all = [...users(40, 60_000), ...users(50, 60_000, "key-2"), ...users(90, 7 * HOUR_MS, "key-3")];
    assert.deepEqual(vouchFor(all, { minimumUserAge: 1 }).vouching.burst, { users: 50, source: "key-2" });
    assert.equal(vouchFor(users(60, 1, null), { minimumUserAge: 1 }).vouching.burst, null);
  });
});

/** All of a site's users come through the one key that it has: what tells them from invented ones is when they came. */
describe("a site with one key", () => {
  const MONDAY = Date.UTC(2026, 5, 1);
  const cameAt = (times: readonly number[]) =>
    times.map((firstSeen) => ({
      closedAt: firstSeen + 14 * DAY_MS,
      origin: { source: "the-only-key", firstSeen },
    }));
  const suspicions = (times: readonly number[]) => {
    const { counted, vouching } = vouchFor(cameAt(times), DEFAULT_POLICY.evidence);
    const evidence = { vouching, users: rows(counted.length, 0.02), plan: plan(0.03) };
    return suspicionsOfLift(evidence, DEFAULT_POLICY).map(({ kind }) => kind);
  };
  /** Ten an hour on six evenings of five hours. */
  const evenings = Array.from({ length: 300 }, (_, n) => {
    const [day, hour, turn] = [Math.floor(n / 50), 17 + Math.floor((n % 50) / 10), n % 10];
    return MONDAY + day * DAY_MS + hour * HOUR_MS + turn * 350_000 + 1;
  });

  it("is believed where its users came over days, however few hours of a day they come in", () => {
    assert.deepEqual(suspicions(evenings), []);
    assert.deepEqual(
      suspicions(evenings.slice(0, 30)),
      ["burst"],
      "three hours of one evening are no sample yet",
    );
    assert.deepEqual(suspicions(evenings.slice(0, 50)), []);
  });

  it("is not believed where 500 came within one hour among them", () => {
    const invented = Array.from({ length: 500 }, (_, n) => MONDAY + 3 * DAY_MS + n * 7_000);
    assert.deepEqual(suspicions([...evenings, ...invented]), ["burst"]);
  });

  it("with many users an hour, most of them new, waits until the windows of four hours have closed at most", () => {
    const hours = (count: number) =>
      Array.from({ length: count }, (_, hour) => [
        ...Array.from({ length: 80 }, (_, n) => MONDAY + hour * HOUR_MS + n * 44_000 + 1),
        ...Array.from({ length: 20 }, (_, n) => MONDAY - (1 + hour) * DAY_MS - n * HOUR_MS + 1),
      ]).flat();
    assert.deepEqual(
      [1, 2, 3, 4].map((count) => suspicions(hours(count)).length),
      [1, 1, 1, 0],
    );
  });

  it("that imported days without hours is believed, though its data begins on one of them", () => {
    const imported = Array.from({ length: 120 }, () => MONDAY);
    assert.deepEqual(suspicions([...evenings, ...imported]), []);
  });
});

describe("evidence is suspect", () => {
  const lift = (vouching: Parameters<typeof suspicionsOfLift>[0]["vouching"], count = 100, mean = 0.02) =>
    suspicionsOfLift({ vouching, users: rows(count, mean), plan: plan(0.03) }, DEFAULT_POLICY).map(
      ({ kind }) => kind,
    );

  it("where more than a quarter came through one key within one hour, and not where a few did", () => {
    assert.deepEqual(lift({ young: 0, burst: { users: 25, source: "k" } }), []);
    assert.deepEqual(lift({ young: 0, burst: { users: 26, source: "k" } }), ["burst"]);
    assert.deepEqual(lift({ young: 0, burst: { users: 7, source: "k" } }, 7), [], "seven users are no burst");
    assert.deepEqual(lift({ young: 0, burst: { users: 8, source: "k" } }, 8), ["burst"]);
  });

  it("where more than a quarter were too young to count", () => {
    assert.deepEqual(lift({ young: 33, burst: null }), []);
    assert.deepEqual(lift({ young: 34, burst: null }), ["young"]);
  });

  it("where the lift is beyond three times what the holdout allows, for sure", () => {
    assert.deepEqual(lift(nobody, 100, 0.089), []);
    assert.deepEqual(lift(nobody, 100, 0.0905), ["beyond-belief"]);
    assert.deepEqual(lift(nobody, 1, 0.9), [], "one user proves nothing");
    const unknown = { vouching: nobody, users: rows(100, 0.9), plan: plan() };
    assert.deepEqual(suspicionsOfLift(unknown, DEFAULT_POLICY), [], "the holdout says nothing of it");
  });

  it("of a loss where the older version does better than anybody believes, and not where the newer one is useless", () => {
    const terms = { vouching: nobody, olderUpperBound: 0.12 };
    assert.deepEqual(suspicionsOfLoss({ ...terms, users: rows(100, 0.12, 0) }, DEFAULT_POLICY), []);
    const [suspicion] = suspicionsOfLoss({ ...terms, users: rows(100, 0.8, 0.05) }, DEFAULT_POLICY);
    assert.equal(suspicion.kind, "beyond-belief");
  });

  it("of votes where they decide and their voters came in a burst or too lately, whatever the shadow's users did", () => {
    const judged = (listDriven: number, votesVouching: object) =>
      suspicionsOfLift(
        {
          vouching: nobody,
          users: rows(100, 0.02),
          plan: plan(0.03),
          feedback: { events: 1000, listDriven },
          interleaving: rows(200, 0.9),
          votesVouching: { ...nobody, ...votesVouching },
        },
        DEFAULT_POLICY,
      ).map(({ kind }) => kind);
    assert.deepEqual(judged(900, {}), []);
    assert.deepEqual(judged(900, { burst: { users: 51, source: "k" } }), ["burst"]);
    assert.deepEqual(judged(900, { young: 80 }), ["young"]);
    assert.deepEqual(judged(0, { burst: { users: 51, source: "k" } }), [], "the shadow decides");
  });

  it("and then decides nothing, with a sentence that names the limits", () => {
    const pass = { verdict: "pass", reasons: ["LIFT_PROVEN"] } as const;
    assert.deepEqual(holdWhereSuspect(pass, []), pass);
    const suspicions = [
      { kind: "burst", users: 30, of: 80, source: "k-1" },
      { kind: "beyond-belief", value: 0.927, limit: 0.12 },
    ] as const;
    const held = holdWhereSuspect(pass, suspicions);
    assert.deepEqual([held.verdict, held.reasons], ["hold", ["EVIDENCE_SUSPECT"]]);
    assert.match(
      explainSuspicions(suspicions),
      /^Held, the evidence is suspect: 30 of 80 users appeared within one hour through the key k-1 \(evidence\.largestSourceShare\); a mean of 0\.927 is beyond 0\.120, .* an operator is asked/,
    );
  });

  it("never in records from before users had origins", () => {
    assert.deepEqual(lift(undefined), []);
  });
});
