import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYBODY, isDrawn, nextDraw, type PanelDraw } from "../../../models/gate/panel-draw.ts";

const PERIOD = 7;
const USERS = Array.from({ length: 20_000 }, (_, user) => `user-${user}`);
const drawn = (draw: PanelDraw, now: number): readonly string[] =>
  USERS.filter((user) => isDrawn(draw, user, now, PERIOD));

test("everybody is in until there are more than wanted, and then the share that is wanted", () => {
  assert.equal(drawn(EVERYBODY, 3).length, USERS.length);
  assert.equal(nextDraw(EVERYBODY, 1000, 5, { wanted: 1000, periodMs: PERIOD }), null);
  const draw = nextDraw(EVERYBODY, USERS.length, 5, { wanted: 1000, periodMs: PERIOD });
  assert.ok(draw !== null);
  assert.equal(draw.share, 0.05);
  // Binomial: 1,000 expected, standard deviation 31.
  assert.ok(Math.abs(drawn(draw, 5).length - 1000) < 6 * 31);
});

test("whoever is in was in for one period, and as many come after", () => {
  const draw = { share: 0.05, from: 0.99, at: 100 };
  const begin = new Set(drawn(draw, 100));
  const half = drawn(draw, 100 + PERIOD / 2);
  const kept = half.filter((user) => begin.has(user)).length;
  assert.ok(Math.abs(kept / half.length - 0.5) < 0.1, `${kept} of ${half.length}`);
  assert.equal(drawn(draw, 100 + PERIOD).filter((user) => begin.has(user)).length, 0);
  const all = new Set(Array.from({ length: 20 }, (_, round) => drawn(draw, 100 + round * PERIOD)).flat());
  assert.equal(all.size, USERS.length, "in twenty periods each has had a turn");
});

test("a narrower window holds nobody that the wider one did not", () => {
  const draw = { share: 0.2, from: 0.9, at: 0 };
  const before = new Set(drawn(draw, 12));
  const next = nextDraw(draw, before.size, 12, { wanted: before.size / 4, periodMs: PERIOD });
  assert.ok(next !== null);
  const after = drawn(next, 12);
  assert.ok(after.length > 0 && after.every((user) => before.has(user)));
});

test("it widens only where a whole period has shown too few", () => {
  const draw = { share: 0.1, from: 0, at: 0 };
  const limits = { wanted: 1000, periodMs: PERIOD };
  assert.equal(nextDraw(draw, 10, PERIOD - 1, limits), null);
  assert.equal(nextDraw(draw, 500, PERIOD, limits), null);
  assert.equal(nextDraw(draw, 499, PERIOD, limits)?.share, 0.2);
  assert.equal(nextDraw({ ...draw, share: 0.6 }, 0, PERIOD, limits)?.share, 1);
});
