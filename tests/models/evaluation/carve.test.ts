import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InteractionLog } from "../../../models/data/interaction-log.ts";
import { carveLike } from "../../../models/evaluation/carve.ts";
import { logOf, logOfPairs } from "../../support/interaction-logs.ts";

const spelled = (log: InteractionLog): string[] =>
  Array.from(log.userIndex, (user, event) => log.users.idAt(user) + log.items.idAt(log.itemIndex[event]));

/** Ten items of each user, the users one after the other in time. */
const logOfTens = (users: string): InteractionLog =>
  logOfPairs([...users].flatMap((user) => [..."abcdefghij"].map((item) => `${user}:${item}`)).join(" "));

describe("a validation set", () => {
  it("is the last part of all events when the test file is of a later time", () => {
    const { train, validation } = carveLike(logOfTens("uv"), logOfPairs("w:a w:b w:c w:d w:e"), "time", 1);
    assert.deepEqual(spelled(validation), ["vg", "vh", "vi", "vj"]);
    assert.equal(train.timestamps.length, 16);
  });

  it("is the last of each tested user, as many as the test file took, when each user has an order", () => {
    const { train, validation } = carveLike(logOfTens("uvw"), logOfPairs("u:k v:k v:l"), "user", 1);
    assert.deepEqual(spelled(validation), ["uj", "vi", "vj"]);
    assert.ok(spelled(train).includes("wj"));
  });

  it("is a random part of each tested user when there is no order, the same for the same seed", () => {
    const [log, test] = [logOfTens("uv"), logOfPairs("u:k u:l v:k v:l")];
    const carved = (seed: number) => spelled(carveLike(log, test, "none", seed).validation);
    const counts = carved(1).map(([user]) => user);
    assert.deepEqual(counts, ["u", "u", "v", "v"]);
    assert.deepEqual(carved(1), carved(1));
    assert.ok(new Set([1, 2, 3, 4, 5].map((seed) => carved(seed).join())).size > 1);
  });

  it("and what is left are the train events, none twice and none lost", () => {
    const log = logOfTens("uv");
    for (const order of ["time", "user", "none"] as const) {
      const { train, validation } = carveLike(log, logOfPairs("u:k v:k"), order, 3);
      assert.deepEqual([...spelled(train), ...spelled(validation)].sort(), spelled(log).sort(), order);
    }
  });

  it("never takes a user's only event, nor more than a quarter", () => {
    const test = logOf([..."klmnopqrstuvwxyz"].map((item, at) => ({ user: "u", item, at })));
    assert.deepEqual(spelled(carveLike(logOfTens("u"), test, "user", 1).validation), ["uh", "ui", "uj"]);
    const { validation } = carveLike(logOfPairs("u:a u:b v:a"), logOfPairs("u:c v:c"), "user", 1);
    assert.deepEqual(spelled(validation), ["ub"]);
  });

  it("is refused where the train file has nothing to spare", () => {
    assert.throws(
      () => carveLike(logOfPairs("u:a v:b"), logOfPairs("u:c v:c"), "none", 1),
      /leaves events to learn from.*leave --tune out/,
    );
  });
});
