import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { compact } from "../../../jobs/upkeep/compact.ts";
import { userData } from "../../../jobs/upkeep/user-data.ts";
import { itemId, userId } from "../../../models/data/ids.ts";
import { appendToSnapshot } from "../../../services/interactions/compaction.ts";
import { type JobRig, startJobRig } from "../rig.ts";

describe("undoing an event", () => {
  let rig: JobRig;
  let serial = 0;
  before(async () => {
    rig = await startJobRig();
  });
  after(() => rig.stop());

  const did = (eventId: string, user: string, item: string) => ({
    eventId,
    userId: userId(user),
    itemId: itemId(item),
    type: "watch",
    timestamp: 1_700_000_000_000 + serial++,
  });
  const send = (...events: ReturnType<typeof did>[]) => rig.context.events.append(events, Date.now());
  const historyOf = async (user: string): Promise<string[]> =>
    (await rig.context.events.history(userId(user))).entries.map((entry) => entry.itemId);
  /** What the next training learns of the user. */
  const learntOf = async (user: string): Promise<string[]> => {
    const { log } = await rig.context.loadTrainingData();
    const own = log.users.indexOf(userId(user));
    return [...log.itemIndex]
      .filter((_, event) => log.userIndex[event] === own)
      .map((item) => log.items.idAt(item));
  };

  test("takes it out of the history and the stream; sent again, it has no effect", async () => {
    const slip = did("slip", "ann", "i5");
    await send(slip, did("meant", "ann", "i6"));
    await rig.context.events.undo(userId("ann"), "slip");
    assert.deepEqual(await send(slip), { accepted: 0, duplicates: 1 });
    assert.deepEqual(await historyOf("ann"), ["i6"]);
    assert.deepEqual(await learntOf("ann"), ["i6"]);
  });

  test("takes it out of the snapshot too, when it was folded in: at once for trainings, for good with the next compaction", async () => {
    await send(did("folded", "bea", "i5"), did("stays", "bea", "i6"));
    await compact(rig.context);
    await rig.context.events.undo(userId("bea"), "folded");
    assert.deepEqual([await historyOf("bea"), await learntOf("bea")], [["i6"], ["i6"]]);
    const data = await userData(rig.context, "bea");
    assert.deepEqual([data.events, data.snapshot.map((event) => event.itemId)], [[], ["i6"]]);
    await compact(rig.context);
    assert.equal(await rig.context.events.length(), 0);
    assert.deepEqual(await learntOf("bea"), ["i6"]);
  });

  test("holds also where a compaction had read the event before and writes it afterwards", async () => {
    const late = did("late", "cay", "i5");
    await send(late, did("other", "cay", "i6"));
    await rig.context.events.undo(userId("cay"), "late");
    await appendToSnapshot(rig.context.stores.snapshot, [late], { now: Date.now(), userEvents: 5000 });
    assert.deepEqual(await learntOf("cay"), ["i6"]);
    await compact(rig.context);
    assert.deepEqual(await learntOf("cay"), ["i6"]);
  });

  test("what is done again afterwards, under an id of its own, counts", async () => {
    const first = did("first", "dan", "i5");
    await send(first);
    await rig.context.events.undo(userId("dan"), "first");
    await send({ ...first, eventId: "second" });
    await compact(rig.context);
    assert.deepEqual([await historyOf("dan"), await learntOf("dan")], [["i5"], ["i5"]]);
  });

  test("is refused for an event of somebody else, or one that nobody knows", async () => {
    await send(did("hers", "eve", "i5"));
    for (const [user, eventId] of [
      ["fay", "hers"],
      ["eve", "unheard-of"],
    ]) {
      await assert.rejects(
        rig.context.events.undo(userId(user), eventId),
        /expected an event of the user from the last seven days, got ".*"; send an event of type remove/,
      );
    }
    assert.deepEqual(await historyOf("eve"), ["i5"]);
  });
});
