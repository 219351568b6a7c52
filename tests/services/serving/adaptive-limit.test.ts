import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AdaptiveLimit } from "../../../services/serving/adaptive-limit.ts";

describe("the adaptive limit", () => {
  const limited = () => new AdaptiveLimit({ least: 8, most: 100, targetMs: 40 });
  /** One look at the limit: requests of one window. */
  const window = (limit: AdaptiveLimit, at: number, elapsedMs: number): number => {
    for (let n = 0; n < 10; n++) limit.record(elapsedMs, 101 * at);
    return limit.limit;
  };

  it("shrinks at once while requests take too long, down to the least", () => {
    const limit = limited();
    const seen = Array.from({ length: 30 }, (_, at) => window(limit, at + 1, 80));
    assert.ok(seen[0] <= 80 && seen[1] < seen[0]);
    assert.equal(seen.at(-1), 8);
  });

  it("gives room back step by step, up to the most", () => {
    const limit = limited();
    for (let at = 1; at <= 30; at++) window(limit, at, 80);
    const seen = Array.from({ length: 60 }, (_, at) => window(limit, at + 31, 5));
    assert.ok(seen.every((now, at) => at === 0 || (now >= seen[at - 1] && now - seen[at - 1] <= 2)));
    assert.equal(seen.at(-1), 100);
  });
});
