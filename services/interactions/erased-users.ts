import type { Redis } from "ioredis";
import { emptyColumns } from "../../models/data/event-columns.ts";
import type { UserId } from "../../models/data/ids.ts";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { orderedLog } from "../../models/data/ordered-log.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { noteChanged } from "./changed-histories.ts";
import { ERASED, ERASED_VERSION, userDigest, userKeys } from "./keys.ts";

/*
 * That somebody was erased is remembered, by a digest of his id and the moment: what happened before it stays out, whoever
 * brings it back (a client that tries again, a replay, the next import of the same file). What happens afterwards is a new
 * user's who has the id.
 */

/** Digest of an erased user's id to the moment of the erasure, epoch milliseconds. */
export type ErasedUsers = ReadonlyMap<string, number>;

/** Removes what is named after the user, and keeps out what happened before `at`. */
export async function forgetUser(redis: Redis, user: UserId, at: number): Promise<void> {
  const forgetting = redis
    .multi()
    .hset(ERASED, userDigest(user), at)
    .incr(ERASED_VERSION)
    .del(...userKeys(user));
  noteChanged(forgetting, user);
  await toStore("forget a user", forgetting.exec());
}

export async function erasedVersion(redis: Redis): Promise<number> {
  return Number((await fromStore("read erased users", redis.get(ERASED_VERSION))) ?? 0);
}

export async function readErased(redis: Redis): Promise<ErasedUsers> {
  const fields = await fromStore("read erased users", redis.hgetall(ERASED));
  return new Map(Object.entries(fields).map(([digest, at]) => [digest, Number(at)]));
}

/** Of these users those who were erased, with the moment. */
export async function erasedAmong(
  redis: Redis,
  users: readonly UserId[],
): Promise<ReadonlyMap<UserId, number>> {
  if (users.length === 0) return new Map();
  const moments = await fromStore("read erased users", redis.hmget(ERASED, ...users.map(userDigest)));
  return new Map(
    users.flatMap((user, place): [UserId, number][] => {
      const at = moments[place];
      return at === null ? [] : [[user, Number(at)]];
    }),
  );
}

export interface WithoutErased {
  readonly log: InteractionLog;
  /** Events left out. */
  readonly events: number;
  readonly users: number;
}

/** The log without what its erased users did before they were erased. */
export function withoutErased(log: InteractionLog, erased: ErasedUsers): WithoutErased {
  const until = new Map<number, number>();
  if (erased.size > 0) {
    for (const [index, user] of log.users.ids.entries()) {
      const at = erased.get(userDigest(user));
      if (at !== undefined) until.set(index, at);
    }
  }
  if (until.size === 0) return { log, events: 0, users: 0 };
  const { userIndex, itemIndex, timestamps, weights } = log;
  const columns = emptyColumns(timestamps.length);
  for (let event = 0; event < timestamps.length; event++) {
    if (timestamps[event] <= (until.get(userIndex[event]) ?? Number.NEGATIVE_INFINITY)) continue;
    const slot = columns.length++;
    columns.userIndex[slot] = userIndex[event];
    columns.itemIndex[slot] = itemIndex[event];
    columns.timestamps[slot] = timestamps[event];
    columns.weights[slot] = weights[event];
  }
  const events = timestamps.length - columns.length;
  // Ids that no event uses any more fall out of both vocabularies.
  return { log: orderedLog(columns, log.users.ids, log.items.ids, false).log, events, users: until.size };
}
