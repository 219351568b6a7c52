import type { ChainableCommander, Redis } from "ioredis";
import type { UserId } from "../../models/data/ids.ts";
import { fromStore } from "../store-errors.ts";
import { CHANGED, userDigest } from "./keys.ts";

/*
 * Whoever changes a history says so, in the same script or transaction, in a stream that keeps some seconds: replicas that
 * read it answer from memory meanwhile, and are never further behind than their last look.
 */

/** How long a change can be read, milliseconds: whoever did not look for that long knows nothing any more. */
export const CHANGES_KEPT_MS = 5_000;
/** Stands for all users, as after an import. */
export const EVERYBODY = "*";

/** For scripts: `noteChanged(stream, digests, now)`; now in milliseconds. */
export const CHANGED_LUA = `
local function noteChanged(stream, digests, now)
  if #digests == 0 then return end
  local kept = string.format('%.0f', now - ${CHANGES_KEPT_MS})
  redis.call('XADD', stream, 'MINID', '~', kept, '*', 'users', table.concat(digests, ' '))
end`;

/** The same for one user, within a transaction. */
export function noteChanged(transaction: ChainableCommander, user: UserId): void {
  transaction.xadd(CHANGED, "*", "users", userDigest(user));
}

export interface HistoryChanges {
  /** Where the next look begins; null while the stream is empty. */
  readonly through: string | null;
  /** Digests of those whose histories changed; null when it cannot be told. */
  readonly users: readonly string[] | null;
}

/** @param after what the last look returned; undefined at the first one */
export async function changedHistories(
  redis: Redis,
  after: string | null | undefined,
): Promise<HistoryChanges> {
  const what = "read changed histories";
  if (after === undefined) {
    const [latest] = await fromStore(what, redis.xrevrange(CHANGED, "+", "-", "COUNT", 1));
    return { through: latest?.[0] ?? null, users: null };
  }
  const entries = await fromStore(what, redis.xrange(CHANGED, after ?? "-", "+"));
  const through = entries.at(-1)?.[0] ?? null;
  // The last one seen is gone: what came after it may be gone too, or the data is another.
  if (after !== null && entries[0]?.[0] !== after) return { through, users: null };
  const fresh = after === null ? entries : entries.slice(1);
  const users = fresh.flatMap(([, [, digests]]) => digests.split(" "));
  return { through, users: users.includes(EVERYBODY) ? null : users };
}
