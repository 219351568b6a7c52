import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuledCase } from "../../../models/gate/ruling.ts";
import { isLike, type Standing, stillStands } from "../../../models/gate/standing.ts";

const standing = (verdict: string, users: number, asked = 10): Standing => ({
  notable: "nothing",
  users,
  asked,
  ruled: { ruling: { verdict } } as unknown as RuledCase<"shadow">,
});

test("few users are ruled on one by one, many by the hundredth", () => {
  assert.equal(isLike(199, 200), false);
  assert.equal(isLike(1000, 1009), true);
  assert.equal(isLike(1000, 1010), false);
  assert.equal(isLike(1000, 999), false, "users who were taken out change everything");
});

test("a hold stands until something of note comes, in turn with others, and nothing else ever does", () => {
  const held = standing("hold", 1000);
  const now = { notable: "nothing", users: 1005, asked: 10 };
  assert.equal(stillStands(held, now, false), true);
  assert.equal(stillStands(held, { ...now, users: 1015 }, false), false);
  assert.equal(stillStands(held, { ...now, users: 1015 }, true), true);
  assert.equal(stillStands(held, { ...now, notable: "a fault" }, true), false);
  assert.equal(stillStands(held, { ...now, asked: 11 }, false), false);
  assert.equal(stillStands(standing("pass", 1000), now, false), false);
});
