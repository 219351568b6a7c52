import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventsOf, partOfUsers, shuffledItems } from "../../../models/data/altered-log.ts";
import { userId } from "../../../models/data/ids.ts";
import { logOfPairs } from "../../support/interaction-logs.ts";

const log = logOfPairs("a:x b:x c:y d:z a:y b:z c:x d:y a:z e:x f:x g:x h:x");

describe("an altered log", () => {
  it("keeps the events of some users in their order", () => {
    const { userIndex, itemIndex, timestamps } = eventsOf(log, new Set([userId("a"), userId("d")]));
    assert.deepEqual(Array.from(timestamps), [0, 3, 4, 7, 8]);
    assert.deepEqual(
      Array.from(userIndex, (user, event) => log.users.idAt(user) + log.items.idAt(itemIndex[event])).join(
        " ",
      ),
      "ax dz ay dy az",
    );
  });

  it("cuts users into halves that share nobody, each quarter within its half", () => {
    const [first, second] = [0, 1].map((part) => partOfUsers(log, 0.5, part as 0 | 1, 3));
    assert.deepEqual([...first, ...second].sort(), [...log.users.ids].sort());
    for (const part of [0, 1] as const) {
      const half = partOfUsers(log, 0.5, part, 3);
      const quarter = [...partOfUsers(log, 0.25, part, 3)];
      assert.equal(quarter.length, 2);
      assert.ok(quarter.every((user) => half.has(user)));
    }
  });

  it("deals the items out anew: as many of each, the same users and times, another order", () => {
    const dealt = shuffledItems(log, 1);
    assert.deepEqual(Array.from(dealt.itemIndex).sort(), Array.from(log.itemIndex).sort());
    assert.notDeepEqual(dealt.itemIndex, log.itemIndex);
    assert.equal(dealt.userIndex, log.userIndex);
    assert.equal(dealt.timestamps, log.timestamps);
  });
});
