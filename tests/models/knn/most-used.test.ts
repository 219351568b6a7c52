import assert from "node:assert/strict";
import { test } from "node:test";
import { easeWeights } from "../../../models/knn/ease.ts";
import { mostUsed, restrictedTo } from "../../../models/knn/most-used.ts";
import { trainingSetOf } from "../support/toy-data.ts";

const ROWS = { u: ["a", "b", "rare"], v: ["b", "a"], w: ["b", "c", "a"], x: ["c", "b"], y: ["alone"] };

test("the most used items come first, and a restriction keeps every user and each row's order", () => {
  const { interactions } = trainingSetOf(ROWS);
  const chosen = mostUsed(interactions, 3);
  const { users, items, rowStarts, columns } = restrictedTo(chosen, interactions);
  assert.deepEqual([...items.ids].map(String), ["b", "a", "c"]);
  const rowOf = (user: number) =>
    Array.from(columns.subarray(rowStarts[user], rowStarts[user + 1]), (item) => String(items.idAt(item)));
  assert.deepEqual(Object.fromEntries(users.ids.map((id, user) => [id, rowOf(user)])), {
    u: ["a", "b"],
    v: ["b", "a"],
    w: ["b", "c", "a"],
    x: ["c", "b"],
    y: [],
  });
});

test("EASE of more than it can invert is EASE of the most used items; the others say nothing", async () => {
  const { interactions } = trainingSetOf(ROWS);
  const [known, params] = [mostUsed(interactions, 3).sort(), { reg: 2, neighbours: 10 }];
  const whole = await easeWeights(restrictedTo(known, interactions), params, 1);
  const part = await easeWeights(interactions, params, 1, 3);
  assert.equal(part.rows, interactions.items.size);
  for (let item = 0; item < part.rows; item++) {
    const place = known.indexOf(item);
    const row = part.columns.subarray(part.starts[item], part.starts[item + 1]);
    if (place < 0) assert.equal(row.length, 0);
    else {
      const range = [whole.starts[place], whole.starts[place + 1]] as const;
      assert.deepEqual(
        row,
        whole.columns.slice(...range).map((other) => known[other]),
      );
      assert.deepEqual(
        part.weights.slice(part.starts[item], part.starts[item + 1]),
        whole.weights.slice(...range),
      );
    }
  }
});
