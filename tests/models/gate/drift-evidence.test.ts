import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { itemId, userId } from "../../../models/data/ids.ts";
import type { InteractionLog } from "../../../models/data/interaction-log.ts";
import { Vocabulary } from "../../../models/data/vocabulary.ts";
import { driftEvidence } from "../../../models/gate/drift-evidence.ts";
import { DEFAULT_POLICY } from "../../../models/gate/policy.ts";

const HOUR_MS = 3_600_000;

/** One event an hour: event n is by user ⌊n / 5⌋ on item n mod 4, unless said otherwise. */
function logOf(events: number, itemAt: (event: number) => number = (event) => event % 4): InteractionLog {
  const range = Array.from({ length: events }, (_, event) => event);
  return {
    users: new Vocabulary(Array.from({ length: Math.ceil(events / 5) }, (_, user) => userId(`u${user}`))),
    items: new Vocabulary(["a", "b", "c", "d", "e"].map(itemId)),
    userIndex: Uint32Array.from(range, (event) => Math.floor(event / 5)),
    itemIndex: Uint32Array.from(range, itemAt),
    timestamps: Float64Array.from(range, (event) => event * HOUR_MS),
    weights: new Float32Array(events).fill(1),
  };
}
const KNOWN = new Set(["a", "b", "c", "d"].map(itemId));
const LIMITS = DEFAULT_POLICY.drift;

describe("drift evidence", () => {
  it("compares the events after the cut with as many before it", () => {
    const evidence = driftEvidence(logOf(2600), 2000, KNOWN, LIMITS);
    assert.ok(evidence !== null);
    const { popularity, historyLength, unknownItems, unknownUsers, eventsPerDay } = evidence;
    // Four equally popular items fall into bins 0, 2, 5 and 7 of ten, 150 of 600 events each.
    assert.deepEqual([...Array.from(popularity.expected)], [150, 0, 150, 0, 0, 150, 0, 150, 0, 0]);
    assert.deepEqual(popularity.actual, popularity.expected);
    // Histories of 0, 1, 2, 3 and 4 events, 120 of each: bins 0, 1, 2–3, 4–7.
    assert.deepEqual(Array.from(historyLength.actual).slice(0, 4), [120, 120, 240, 120]);
    assert.deepEqual(historyLength.expected, historyLength.actual);
    assert.deepEqual(unknownItems, { expected: 0, actual: 0 });
    assert.deepEqual(unknownUsers, { expected: 0.2, actual: 0.2 });
    assert.ok(Math.abs(eventsPerDay.actual - (600 * 24) / 599) < 1e-9);
    assert.ok(Math.abs(eventsPerDay.expected - eventsPerDay.actual) < 1e-9);
  });

  it("counts items that the model does not know, and puts what is new into the last bin", () => {
    const log = logOf(2600, (event) => (event >= 2000 && event % 4 === 3 ? 4 : event % 4));
    const evidence = driftEvidence(log, 2000, KNOWN, LIMITS);
    assert.deepEqual(evidence?.unknownItems, { expected: 0, actual: 0.25 });
    assert.equal(evidence?.popularity.actual[9], 150);
  });

  it("expects the tail that the model never knew, and as much new as there was before", () => {
    // Every fourth event is on "e", which is too rare for the model at any time.
    const tail = driftEvidence(
      logOf(2600, (event) => (event % 4 === 3 ? 4 : event % 4)),
      2000,
      KNOWN,
      LIMITS,
    );
    assert.deepEqual(tail?.unknownItems, { expected: 0.25, actual: 0.25 });
    // Every fourth event is on an item of the last few hundred: "d" was new in the reference, "e" is new now.
    const fresh = (event: number): number =>
      event % 4 < 3 ? event % 4 : event < 1400 ? 0 : event < 2000 ? 3 : 4;
    const steady = driftEvidence(logOf(2600, fresh), 2000, KNOWN, LIMITS);
    assert.deepEqual(steady?.unknownItems, { expected: 0.25, actual: 0.25 });
  });

  it("takes no more than the later half of the training events", () => {
    const evidence = driftEvidence(logOf(5000), 1000, KNOWN, LIMITS);
    assert.equal(
      Array.from(evidence?.popularity.expected ?? []).reduce((sum, count) => sum + count, 0),
      500,
    );
  });

  it("is nothing while either side is too small to tell", () => {
    assert.equal(driftEvidence(logOf(2499), 2000, KNOWN, LIMITS), null);
    assert.equal(driftEvidence(logOf(5000), 998, KNOWN, LIMITS), null);
  });
});
