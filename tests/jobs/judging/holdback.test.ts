import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { judge } from "../../../jobs/judging/judge.ts";
import { userId } from "../../../models/data/ids.ts";
import { armOf } from "../../../models/gate/holdback.ts";
import { CUT, DAY_MS, ITEM_IDS, type JobRig, startJobRig } from "../rig.ts";

const LOOK = { kind: "judge", record: false } as const;
const SHARE = 0.5;

describe("users on the floor and their twins", () => {
  let rig: JobRig;
  let clock = CUT;
  let seen = 0;

  /** So many users are served once: `hits` names the arm whose lists hold what they choose. */
  const served = async (users: number, hits: "floor" | "twin"): Promise<string[]> => {
    const { events, holdback } = rig.context;
    const people = Array.from({ length: users }, () => `h${++seen}`);
    const choose = (user: string, at: number, first: number) =>
      Array.from({ length: 3 }, (_, choice) => ({
        eventId: `${user}-${at}-${choice}`,
        userId: userId(user),
        itemId: ITEM_IDS[first + choice],
        type: "watch",
        timestamp: at + choice,
      }));
    await events.append(
      people.flatMap((user) => choose(user, clock, 0)),
      clock,
    );
    for (const user of people) {
      const arm = armOf(user, SHARE);
      assert.ok(arm !== null);
      const items = (arm === hits ? ITEM_IDS.slice(10, 20) : ITEM_IDS.slice(20, 30)).map(String);
      const list = { requestId: `r-${user}`, userId: user, arm, historyThrough: 3, k: 10, items };
      for (let twice = 0; twice < 2; twice++) await holdback.remember(list, 20);
    }
    await events.append(
      people.flatMap((user) => choose(user, clock + DAY_MS, 10)),
      clock,
    );
    clock += 20 * DAY_MS;
    await events.append(choose("clock", clock, 0), clock);
    return people;
  };

  before(async () => {
    rig = await startJobRig({ holdback: { share: SHARE, roundDays: 60 } });
    const floor = await rig.register("popularity");
    await rig.evaluate(floor, (user) => (user % 5) * 0.2);
    const { registry } = rig.context;
    await registry.promote({ version: floor, expectedLive: null, reason: "tests", actor: "tests" });
    await rig.context.events.append(
      [{ eventId: "first", userId: userId("first"), itemId: ITEM_IDS[0], type: "watch", timestamp: CUT }],
      CUT,
    );
    await judge(rig.context, LOOK);
  });
  after(() => rig.stop());

  it("are counted when their windows close, once each, and the gain is proven", async () => {
    await served(60, "twin");
    await judge(rig.context, LOOK);
    await judge(rig.context, LOOK);
    const status = await rig.context.holdback.status();
    assert.equal(status?.round, 1);
    assert.ok((status?.pairs ?? 0) >= 15, `${status?.pairs}`);
    assert.equal(status?.found, "gain");
    assert.equal((await rig.context.holdback.users()).length, 60);
    assert.equal((await rig.context.holdback.waiting()).size, 0);
    assert.match(status?.sentence ?? "", /^Proven to pay: /);
  });

  it("once counted are not remembered again before the next round", async () => {
    const list = {
      requestId: "again",
      userId: "h1",
      arm: "twin",
      historyThrough: 6,
      k: 10,
      items: [],
    } as const;
    await rig.context.holdback.remember(list, 20);
    assert.equal((await rig.context.holdback.waiting()).size, 0);
  });

  it("begin anew with a round, whose harm is found whatever was gained before", async () => {
    await served(2, "twin");
    await served(2, "twin");
    await served(2, "twin");
    await judge(rig.context, LOOK);
    assert.equal((await rig.context.holdback.round())?.round, 2);
    assert.deepEqual(await rig.context.holdback.users(), []);
    await served(80, "floor");
    await judge(rig.context, LOOK);
    const status = await rig.context.holdback.status();
    assert.deepEqual([status?.round, status?.found], [2, "harm"], status?.sentence);
    assert.ok((status?.upperBound ?? 1) < 0);
  });

  it("keep a uniform sample of their lists, and no more than they are asked for", async () => {
    const { holdback } = rig.context;
    for (let request = 0; request < 40; request++) {
      const list = {
        requestId: `s${request}`,
        userId: "many",
        arm: "twin" as const,
        historyThrough: 0,
        k: 10,
      };
      await holdback.remember({ ...list, items: [] }, 5);
    }
    const kept = (await holdback.waiting()).get("many") ?? [];
    assert.equal(kept.length, 5);
    assert.ok(
      kept.some(({ requestId }) => Number(requestId.slice(1)) >= 5),
      "not the first five",
    );
  });
});
