import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Redis } from "ioredis";
import { connectRedis } from "../../services/redis.ts";
import { type RedisRegistry, redisRegistry } from "../../services/registry/registry.ts";
import { eventually } from "../support/eventually.ts";
import { type Service, startService } from "../support/service.ts";
import { raiseSmallLadder } from "../support/small-ladder.ts";
import { assertWhole } from "../support/whole-registry.ts";
import { startWire, type Wire } from "../support/wire.ts";

/** PHASEWISE_FAULT_ROUNDS=200 for the long run. */
const ROUNDS = Number(process.env.PHASEWISE_FAULT_ROUNDS ?? 8);
/** Messages with Redis after which the process dies: from the request on, and from the one that commits on. */
const MESSAGES = { request: 16, commit: 4 };
/** Coprime to twice the messages: few rounds are spread over all places, many visit each equally often. */
const STRIDE = 7;

/** Where a round kills: each message is a place to die before it is passed on, and after. */
interface Place {
  readonly from: keyof typeof MESSAGES;
  readonly message: number;
  readonly passes: boolean;
}

/** Every other round counts from the commit: the service exchanges messages of its own with Redis in between. */
function placeOf(round: number): Place {
  const from = round % 2 === 0 ? "request" : "commit";
  const turn = Math.floor(round / 2);
  const place = (from === "request" ? turn * STRIDE : turn) % (2 * MESSAGES[from]);
  return { from, message: 1 + Math.floor(place / 2), passes: place % 2 === 1 };
}

describe(`F6: the API process killed while it promotes, ${ROUNDS} times`, () => {
  let service: Service;
  let redis: Redis;
  let registry: RedisRegistry;
  let wire: Wire;
  let challengers: readonly string[];

  before(async () => {
    service = await startService({});
    wire = await startWire(service.redis.port);
    redis = connectRedis({ redisUrl: service.redis.url }, "patient", () => {});
    registry = redisRegistry(redis);
    const ladder = await raiseSmallLadder(service.home, registry);
    // In turn: what is live or previous cannot be promoted.
    challengers = [await ladder.challenger(), await ladder.challenger(), await ladder.challenger()];
  });
  after(async () => {
    redis.disconnect();
    await wire.close();
    await service.stop();
  });

  test("the pointer is wholly old or wholly new, what was acknowledged stays, and the next start serves it", async (t) => {
    const outcomes = { old: 0, new: 0, acknowledged: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const { from, message, passes } = placeOf(round);
      const api = await service.startApi({ REDIS_URL: wire.url });
      const old = await registry.live();
      assert.ok(old !== null);
      const ready = async () => (await (await fetch(`${api.url}/readyz`)).json()) as Record<string, unknown>;
      await eventually(async () => (await ready()).epoch === old.epoch, "the pointer is served");
      await eventually(async () => (await ready()).redis === "up", "Redis is connected");

      const version = challengers.find(
        (challenger) => challenger !== old.version && challenger !== old.previous,
      ) as string;
      const reason = `round ${round} of ${ROUNDS}`;
      let seen = 0;
      let counts = from === "request";
      wire.onMessage = (bytes) => {
        // The reason goes to Redis with the commit alone.
        counts ||= bytes.includes(reason);
        if (!counts || ++seen < message) return true;
        if (seen === message) api.process.kill("SIGKILL");
        return seen === message && passes;
      };
      const acknowledged = await fetch(`${api.url}/models/${version}/promote`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${service.key}` },
        body: JSON.stringify({ expectedLive: old.version, reason, force: true }),
      }).then(
        ({ status }) => status === 200,
        () => false,
      );
      await api.stop("SIGKILL");
      wire.onMessage = () => true;

      const epoch = await assertWhole(registry);
      const live = await registry.live();
      const entries = (await registry.audit()).filter((entry) => entry.reason === reason);
      const moved = epoch === old.epoch + 1;
      const where = `round ${round}, message ${message} from the ${from} ${passes ? "sent" : "lost"}`;
      assert.equal(entries.length, Number(moved), where);
      if (moved) assert.deepEqual([live?.version, live?.previous], [version, old.version], where);
      else assert.deepEqual(live, old, where);
      assert.ok(moved || !acknowledged, `${where}: an acknowledged promotion is gone`);
      outcomes[moved ? "new" : "old"]++;
      outcomes.acknowledged += Number(acknowledged);
    }
    t.diagnostic(JSON.stringify(outcomes));
    assert.ok(outcomes.old > 0 && outcomes.new > 0, "expected kills on both sides of the commit");
  });
});
