import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_EVENT_RULES, ratingStrength, strengthOf } from "../../../models/data/event-rules.ts";
import { eventTypeOf, meaningOf } from "../../../models/data/event-types.ts";

const scale = DEFAULT_EVENT_RULES.ratings;

test("an event weighs its rating, or what its type weighs", () => {
  const strengths = [
    { type: "rating", rating: 4.5 },
    { type: "rating" },
    { type: "rating", rating: 0 },
    { type: "rating", rating: -3 },
    { type: "purchase" },
    { type: "impression", rating: 5 },
    { type: "dislike" },
    { type: "buy" },
    { type: "wishlist" },
  ].map((event) => strengthOf(event, DEFAULT_EVENT_RULES));
  assert.deepEqual(strengths, [4.5, 1, 1, -3, 3, 0, -1, 3, undefined]);
  assert.equal(strengthOf({ type: "wishlist" }, { ...DEFAULT_EVENT_RULES, events: { wishlist: 0.5 } }), 0.5);
});

test("a rating below what counts as liked speaks against its item", () => {
  assert.deepEqual(
    [1, 2.5, 3, 5].map((rating) => ratingStrength(rating, 1, { ...scale, likedFrom: 3 })),
    [-2, -0.5, 3, 5],
  );
  assert.equal(ratingStrength(-1, 1, { ...scale, unrated: [0, -1] }), 1);
});

test("types go by the names of other systems, and no name of the language is one", () => {
  assert.deepEqual(
    ["PV", "addToCart", "fav", "transaction", "constructor"].map((name) => eventTypeOf(name)),
    ["view", "cart", "like", "purchase", undefined],
  );
  assert.deepEqual([2, 0, -1].map(meaningOf), ["interest", "exposure", "against"]);
});
