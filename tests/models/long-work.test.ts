import assert from "node:assert/strict";
import { test } from "node:test";
import { type Progress, partOf } from "../../models/long-work.ts";

test("a part reports its stretch of the whole, under its name, and parts may have parts", () => {
  const said: Progress[] = [];
  const second = partOf((progress) => said.push(progress), { name: "fitting", from: 0.5, to: 1 });
  second({ fraction: 0, message: "" });
  partOf(second, { name: "als", from: 0, to: 0.5 })({ fraction: 0.5, message: "epoch 1/2" });
  second({ fraction: 1, message: "done" });
  assert.deepEqual(said, [
    { fraction: 0.5, message: "fitting" },
    { fraction: 0.625, message: "fitting, als, epoch 1/2" },
    { fraction: 1, message: "fitting, done" },
  ]);
  partOf(undefined, { name: "unheard", from: 0, to: 1 })({ fraction: 1, message: "" });
});
