import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { entersSample, sampleOf, samplePlace } from "../../../models/gate/request-sample.ts";

const requests = Array.from({ length: 400 }, (_, index) => ({ requestId: `r-${index}`, index }));

describe("the sample of a user's requests", () => {
  it("is the same drawn at once and request by request", () => {
    const held = new Map<number, number>();
    for (const { requestId, index } of requests) {
      const place = samplePlace(requestId);
      const entry = entersSample([...held.keys()], place, 20);
      if (entry === null) continue;
      if (entry.replaces !== null) held.delete(entry.replaces);
      held.set(place, index);
    }
    assert.deepEqual(
      sampleOf(requests, 20).map(({ index }) => index),
      [...held.values()].sort((a, b) => a - b),
    );
  });

  it("holds everything while there is place, and one request once", () => {
    assert.equal(sampleOf(requests.slice(0, 20), 20).length, 20);
    assert.equal(entersSample([0.1, 0.2], 0.2, 3), null);
    assert.deepEqual(entersSample([0.1, 0.2], 0.9, 3), { replaces: null });
    assert.deepEqual(entersSample([0.1, 0.2], 0.15, 2), { replaces: 0.2 });
    assert.equal(entersSample([0.1, 0.2], 0.9, 2), null);
  });

  it("takes early and late requests alike", () => {
    const counts = [0, 0, 0, 0];
    for (let user = 0; user < 200; user++) {
      const own = Array.from({ length: 100 }, (_, index) => ({ requestId: `u${user}-${index}`, index }));
      for (const { index } of sampleOf(own, 20)) counts[Math.floor(index / 25)]++;
    }
    // 4,000 drawn, 1,000 expected in each quarter, standard deviation about 25.
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 100, `${counts}`);
  });

  it("keeps what it held when the period goes on, or lets it go for good", () => {
    const early = new Set(sampleOf(requests.slice(0, 200), 20).map(({ index }) => index));
    for (const { index } of sampleOf(requests, 20)) if (index < 200) assert.ok(early.has(index));
  });
});
