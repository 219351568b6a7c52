import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Redis } from "ioredis";
import { itemId, userId } from "../../models/data/ids.ts";
import { seededRandom } from "../../models/data/random.ts";
import { redisEventLog } from "../../services/interactions/event-log.ts";
import type { FeedbackEvent } from "../../services/interactions/types.ts";
import { connectRedis } from "../../services/redis.ts";
import { type PrivateRedis, startRedis } from "../support/redis.ts";

const DISTINCT = 10_000;
const SENT = Math.round(DISTINCT / 0.7);
const USERS = 97;
const SENDERS = 8;

describe("F11: 10,000 events, 30 % duplicates, retries", () => {
  let server: PrivateRedis;
  let clients: Redis[];
  before(async () => {
    server = await startRedis();
    clients = Array.from({ length: SENDERS }, () =>
      connectRedis({ redisUrl: server.url }, "patient", () => {}),
    );
  });
  after(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  test("exactly the distinct ones have an effect, whoever sends them and however often", async () => {
    const random = seededRandom(11);
    const eventOf = (n: number): FeedbackEvent => ({
      eventId: `e${n}`,
      userId: userId(`u${n % USERS}`),
      itemId: itemId(`i${n}`),
      type: "watch",
      timestamp: 1_000 + n,
    });
    const sent = Array.from({ length: SENT }, (_, n) => eventOf(n < DISTINCT ? n : random.integer(DISTINCT)));
    const batches: FeedbackEvent[][] = [];
    for (let from = 0; from < sent.length; ) {
      const size = 1 + random.integer(100);
      batches.push(sent.slice(from, from + size));
      from += size;
    }
    // Duplicates meet their originals in flight: every sender takes batches in an order of its own, and one
    // batch in five is sent again at once, as after a lost reply.
    const outcomes = await Promise.all(
      clients.map(async (client, sender) => {
        const log = redisEventLog(client);
        let accepted = 0;
        for (let n = sender; n < batches.length; n += SENDERS) {
          const batch = batches[(n * 7) % batches.length];
          const replies = [log.append(batch, 1), ...(n % 5 === 0 ? [log.append(batch, 2)] : [])];
          for (const reply of await Promise.all(replies)) accepted += reply.accepted;
        }
        return accepted;
      }),
    );
    const log = redisEventLog(clients[0]);
    let accepted = outcomes.reduce((sum, count) => sum + count, 0);
    for (const batch of batches) accepted += (await log.append(batch, 3)).accepted;

    assert.equal(accepted, DISTINCT);
    const stream = await log.read("0", DISTINCT * 2);
    assert.equal(stream.length, DISTINCT);
    assert.equal(new Set(stream.map(({ event }) => event.eventId)).size, DISTINCT);
    let entries = 0;
    for (let user = 0; user < USERS; user++) {
      const history = await log.history(userId(`u${user}`));
      entries += history.entries.length;
      assert.equal(new Set(history.entries.map((entry) => entry.itemId)).size, history.through);
    }
    assert.equal(entries, DISTINCT);
  });
});
