import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { armOf } from "../../../models/gate/holdback.ts";
import { redisHoldbackLog } from "../../../services/holdback/redis-holdback-log.ts";
import { connectRedis } from "../../../services/redis.ts";
import { eventually } from "../../support/eventually.ts";
import { BEARER, type Rig, startRig } from "./rig.ts";

const SHARE = 0.2;
const USERS = Array.from({ length: 60 }, (_, user) => `someone-${user}`);

describe("the holdback in a replica", () => {
  let rig: Rig;
  let folder: string;
  let floor: string;
  let live: string;

  const versionFor = async (user: string): Promise<string | undefined> =>
    (await rig.http().get(`/recommend?userId=${user}&k=3`).set(BEARER)).body.model?.version;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "phasewise-holdback-"));
    const policyFile = join(folder, "policy.json");
    await writeFile(policyFile, JSON.stringify({ holdback: { share: SHARE } }));
    rig = await startRig({ settings: { policyFile } });
    floor = await rig.register("popularity");
    live = await rig.register("item-knn");
    await rig.registry.promote({ version: floor, expectedLive: null, reason: "tests", actor: "tests" });
    await eventually(async () => (await versionFor("anybody")) === floor, "the floor serves");
  });
  after(async () => {
    await rig.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("writes nothing down while the floor is live: there is nothing to compare", async () => {
    for (const user of USERS) await versionFor(user);
    const redis = connectRedis({ redisUrl: rig.redis.url }, "patient", () => {});
    try {
      assert.equal((await redisHoldbackLog(redis).waiting()).size, 0);
    } finally {
      redis.disconnect();
    }
  });

  it("keeps its share on the floor through promotions, serves all others, and writes both arms down", async () => {
    const promotion = { version: live, expectedLive: floor, reason: "tests", actor: "tests", force: true };
    await rig.registry.promote(promotion);
    const other = USERS.find((user) => armOf(user, SHARE) === null) ?? "";
    await eventually(async () => (await versionFor(other)) === live, "the promotion is followed");
    for (const user of USERS) {
      const expected = armOf(user, SHARE) === "floor" ? floor : live;
      assert.equal(await versionFor(user), expected, user);
    }
    const inArms = USERS.filter((user) => armOf(user, SHARE) !== null);
    const redis = connectRedis({ redisUrl: rig.redis.url }, "patient", () => {});
    try {
      const log = redisHoldbackLog(redis);
      await eventually(
        async () => (await log.waiting()).size === inArms.length,
        "both arms are written down",
      );
      for (const [user, [list]] of await log.waiting()) {
        assert.equal(list.arm, armOf(user, SHARE));
        assert.equal(list.items.length, 3);
      }
    } finally {
      redis.disconnect();
    }
  });

  it("says what the judge found in /ladder and /metrics", async () => {
    const redis = connectRedis({ redisUrl: rig.redis.url }, "patient", () => {});
    try {
      const figures = { pairs: 40, lift: -0.02, lowerBound: -0.04, upperBound: -0.001, alpha: 0.025 };
      const found = { round: 1, from: "2026-01-01T00:00:00.000Z", share: SHARE, found: "harm" as const };
      await redisHoldbackLog(redis).put({ ...found, ...figures, sentence: "HARM: so much." });
    } finally {
      redis.disconnect();
    }
    const { body } = await rig.http().get("/ladder").set(BEARER).expect(200);
    assert.deepEqual([body.holdback.found, body.holdback.sentence], ["harm", "HARM: so much."]);
    await eventually(async () => {
      const { text } = await rig.http().get("/metrics").set(BEARER);
      return /^phasewise_holdback_harm 1$/m.test(text) && /bound="upper"\} -0\.001$/m.test(text);
    }, "the metrics say so");
  });
});
