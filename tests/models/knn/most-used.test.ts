import assert from "node:assert/strict";
import { test } from "node:test";
import { limitedTo, mostUsed, placesOf } from "../../../models/knn/most-used.ts";
import { trainingSetOf } from "../support/toy-data.ts";

const ROWS = { u: ["a", "b", "rare"], v: ["b", "a"], w: ["b", "c", "a"], x: ["c", "b"], y: ["alone"] };

test("the most used items come first, and a limit keeps every user and each row's order", () => {
  const { interactions } = trainingSetOf(ROWS);
  const chosen = mostUsed(interactions, 3);
  const ids = Array.from(chosen, (item) => String(interactions.items.idAt(item)));
  assert.deepEqual(ids, ["b", "a", "c"]);
  const { rows, others, starts, columns } = limitedTo(interactions, chosen);
  assert.deepEqual([rows, others], [5, 3]);
  const rowOf = (user: number) => Array.from(columns.subarray(starts[user], starts[user + 1]), (c) => ids[c]);
  assert.deepEqual(Object.fromEntries(interactions.users.ids.map((id, user) => [id, rowOf(user)])), {
    u: ["a", "b"],
    v: ["b", "a"],
    w: ["b", "c", "a"],
    x: ["c", "b"],
    y: [],
  });
});

test("an item that was not chosen has no place", () => {
  assert.deepEqual(placesOf(Uint32Array.of(3, 1), 5), Int32Array.of(-1, 1, -1, 0, -1));
});
