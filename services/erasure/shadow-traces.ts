import type { Redis } from "ioredis";
import { heldKey, markOf, partKey } from "../shadow/panel.ts";
import { ATTEMPTS_KEY } from "../shadow/redis-shadow-log.ts";
import type { JudgedUser } from "../shadow/types.ts";
import { fromStore, toStore } from "../store-errors.ts";

/**
 * Takes a user's requests and rows out of all comparisons. Their counts name nobody and stay, as requests that nothing
 * was heard of, so that what was sampled still adds up. Returns what was removed. `own` is the installation's prefix.
 */
export async function forgetShadowed(redis: Redis, own: string, user: string): Promise<number> {
  const attempts = await fromStore("read attempts", redis.hgetall(`${own}${ATTEMPTS_KEY}`));
  const held = await fromStore("read shadow", redis.hvals(`${own}${heldKey(user)}`));
  const marks = held.flatMap((text) => text.slice(0, text.indexOf("\n")).split(" "));
  let removed = held.length;
  for (const id of Object.keys(attempts)) {
    const counts = `${own}${partKey(id, "counts")}`;
    const users = `${own}${partKey(id, "users")}`;
    const waiting = marks.filter((mark) => mark === markOf(id)).length;
    const rows = (await fromStore("read rows", redis.lrange(users, 0, -1))).filter(
      (text) => (JSON.parse(text) as JudgedUser).userId === user,
    );
    const accounted = rows
      .map((text) => JSON.parse(text) as JudgedUser)
      .reduce((sum, { joined, unanswered, early }) => sum + joined + unanswered + early, 0);
    if (waiting === 0 && rows.length === 0) continue;
    const forgetting = redis.multi().hincrby(counts, "released", waiting);
    forgetting.hincrby(counts, "unheard", waiting + accounted);
    for (const row of rows) forgetting.lrem(users, 0, row);
    await toStore("erase user", forgetting.exec());
    removed += rows.length;
  }
  await toStore("erase user", redis.del(`${own}${heldKey(user)}`));
  return removed;
}
