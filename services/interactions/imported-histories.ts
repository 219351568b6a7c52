import type { Redis } from "ioredis";
import type { ItemId, UserId } from "../../models/data/ids.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { RECORDED_KEPT } from "./event-clocks.ts";
import { IMPORTED_LUA } from "./imported.lua.ts";
import { CHANGED, historyKey, IMPORTED, RECORDED_TIMES, seededKey, seenKey } from "./keys.ts";

/** What an import knows of one user, oldest first; empty for a user whom it has lost. */
export interface ImportedHistory {
  readonly userId: UserId;
  readonly entries: Iterable<ImportedEntry>;
}

export interface ImportedEntry {
  readonly itemId: ItemId;
  readonly timestamp: number;
  readonly weight: number;
}

/** Entries one script writes: some milliseconds of Redis' time, so that requests beside it hardly notice. */
const SCRIPT_ENTRIES = 2_000;
const SCRIPT_USERS = 200;
/** Scripts on their way at once: Redis works while the next are made. */
const IN_FLIGHT = 4;

/**
 * Replaces the imported part of histories. It may be repeated and broken off at any point: each user's history is
 * replaced as a whole, so running it again ends the same. Which import the histories hold is kept beside them, and a
 * second run of the same one does nothing. Returns the entries written.
 */
export async function replaceImported(
  redis: Redis,
  longestHistory: number,
  users: Iterable<ImportedHistory>,
  importSha256: string,
  onUsers: (users: number) => void = () => {},
): Promise<number> {
  if (await holdsImport(redis, importSha256)) return 0;
  await toStore("write histories", redis.del(IMPORTED));
  const run = luaScript(redis, IMPORTED_LUA);
  const inFlight = new Set<Promise<void>>();
  let written = 0;
  let done = 0;
  let keys: string[] = [];
  let args: string[] = [];
  let [entries, latest] = [0, 0];
  const send = async (): Promise<void> => {
    if (args.length === 0) return;
    const [count, sentKeys, sentArgs] = [
      args.length,
      [RECORDED_TIMES, CHANGED, ...keys],
      [longestHistory, latest, RECORDED_KEPT, ...args],
    ];
    [keys, args, entries] = [[], [], 0];
    const sent: Promise<void> = toStore("write histories", run(sentKeys, sentArgs)).then((reply) => {
      written += Number(reply);
      done += count;
      inFlight.delete(sent);
      onUsers(done);
    });
    inFlight.add(sent);
    if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
  };
  for (const user of users) {
    let lines = "";
    for (const { itemId, timestamp, weight } of user.entries) {
      if (timestamp > latest) latest = timestamp;
      // Mere exposure is no part of a history.
      if (weight === 0) continue;
      lines += `[${JSON.stringify(itemId)},${timestamp},${weight},null,1]\n`;
      entries++;
    }
    keys.push(historyKey(user.userId), seenKey(user.userId));
    args.push(lines);
    if (entries >= SCRIPT_ENTRIES || args.length >= SCRIPT_USERS) await send();
  }
  await send();
  await Promise.all(inFlight);
  await toStore("write histories", redis.set(IMPORTED, importSha256));
  return written;
}

/** Whether the histories hold this import, also where an earlier release seeded them. */
async function holdsImport(redis: Redis, importSha256: string): Promise<boolean> {
  const held = await fromStore("read histories", redis.get(IMPORTED));
  if (held !== null) return held === importSha256;
  return (await fromStore("read histories", redis.hget(seededKey(importSha256), "complete"))) !== null;
}
