import type { Redis } from "ioredis";
import type { UserId } from "../../models/data/ids.ts";
import { luaScript, type RunScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { entryText } from "./history-entry.ts";
import { historyKey, olderKey, seededKey, WATERMARK } from "./keys.ts";
import { SEED_LUA } from "./seed.lua.ts";
import type { EventLog, FeedbackEvent } from "./types.ts";

/** Events one script adds: some milliseconds of Redis' time, so that requests beside it hardly notice. */
const CHUNK_EVENTS = 2_000;

/**
 * Loads a snapshot's events as histories. Progress is kept per snapshot and moves in the same script as the
 * histories: a seeding that was killed resumes where it stopped, a second one does nothing, and of two at
 * once every event lands exactly once. Holds as long as a snapshot yields the same events in the same order.
 */
export function seeder(redis: Redis, longestHistory: number): EventLog["seed"] {
  const runSeed = luaScript(redis, SEED_LUA);

  return async (events, snapshotSha256) => {
    const progressKey = seededKey(snapshotSha256);
    const progress = await fromStore("seed histories", redis.hgetall(progressKey));
    if (progress.complete !== undefined) return 0;
    let done = Number(progress.events ?? 0);
    let position = 0;
    let added = 0;
    let chunk: FeedbackEvent[] = [];
    const flush = async (): Promise<void> => {
      while (done < position) {
        const rest = chunk.slice(Math.max(0, chunk.length - (position - done)));
        const reply = runSeed(...seedCall(progressKey, done, longestHistory, rest));
        const [reached, taken] = (await toStore("seed histories", reply)) as [number, number];
        done = reached;
        added += taken;
      }
      chunk = [];
    };
    for await (const batch of events) {
      for (const event of batch) {
        chunk.push(event);
        position++;
        if (chunk.length === CHUNK_EVENTS) await flush();
      }
    }
    await flush();
    await toStore("seed histories", redis.hset(progressKey, "complete", "1"));
    return added;
  };
}

function seedCall(
  progressKey: string,
  before: number,
  longestHistory: number,
  events: readonly FeedbackEvent[],
): Parameters<RunScript> {
  const entries = new Map<UserId, string[]>();
  let latest = 0;
  for (const event of events) {
    const timestamp = event.timestamp ?? 0;
    latest = Math.max(latest, timestamp);
    const text = entryText(event, timestamp);
    if (text === "") continue;
    const ofUser = entries.get(event.userId);
    if (ofUser === undefined) entries.set(event.userId, [text]);
    else ofUser.push(text);
  }
  const args: (string | number)[] = [before, events.length, longestHistory, latest];
  for (const ofUser of entries.values()) for (const arg of [ofUser.length, ...ofUser]) args.push(arg);
  return [
    [
      progressKey,
      WATERMARK,
      ...Array.from(entries.keys(), (user) => [historyKey(user), olderKey(user)]).flat(),
    ],
    args,
  ];
}
