import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "commander";
import { jsonObject, oneOf, share, shareFromZero, wholeNumber } from "../../../deploy/terminal/arguments.ts";

test("an argument is read, or refused with what was expected and what was got", () => {
  const cases = [
    {
      read: wholeNumber,
      good: [
        ["0", 0],
        ["12", 12],
      ],
      bad: ["-1", "1.5", "two"],
    },
    { read: share, good: [["0.6", 0.6]], bad: ["0", "1", "x"] },
    {
      read: shareFromZero,
      good: [
        ["0", 0],
        ["0.05", 0.05],
      ],
      bad: ["", "1", "-0.1", "1.5"],
    },
    { read: oneOf(["mean", "recency"]), good: [["mean", "mean"]], bad: ["median", ""] },
    { read: jsonObject, good: [['{"epochs":2}', { epochs: 2 }]], bad: ["[1]", "null", "{epochs:2}"] },
  ] as const;
  for (const { read, good, bad } of cases) {
    for (const [text, value] of good) assert.deepEqual(read(text), value);
    for (const text of bad) {
      assert.throws(
        () => read(text),
        (error) => error instanceof InvalidArgumentError && /^expected .* got /.test(error.message),
      );
    }
  }
});
