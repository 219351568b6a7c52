import assert from "node:assert/strict";
import { it } from "node:test";
import { holdoutStart } from "../../../models/evaluation/holdout-cut.ts";
import { logOf } from "../../support/interaction-logs.ts";

/** Forty users in turn, then one user alone. */
function withTail(shared: number, alone: number) {
  const user = (event: number): string => (event < shared ? `u${event % 40}` : "last");
  return logOf(Array.from({ length: shared + alone }, (_, at) => ({ user: user(at), item: "i", at })));
}

it("a holdout is the last share of the events where that holds enough users", () => {
  assert.equal(holdoutStart(withTail(1000, 0), 0.2, 30), 800);
});

it("a holdout begins earlier where one user would be alone in it, but never before the middle", () => {
  const log = withTail(700, 300);
  assert.equal(holdoutStart(log, 0.2, 30), 671, "29 events of the others");
  assert.equal(holdoutStart(withTail(400, 600), 0.2, 30), 800, "half of the events hold one user as well");
});
