import { Redis } from "ioredis";
import { DEFAULT_PREFIX, type Installation } from "./config.ts";

/**
 * The one place an ioredis client is made. How long its commands wait for Redis:
 *   fail-fast    a read that a reply can do without
 *   bounded      a user's write: it may take longer, yet must end
 *   deliberate   an operator's call, most of all a rollback: a busy machine that is late must not refuse it
 *   patient      a worker: it waits until Redis is back, and loses nothing
 */
export type RedisWait = "fail-fast" | "bounded" | "deliberate" | "patient";

/** Longest wait for one Redis command, milliseconds. */
const COMMAND_TIMEOUT_MS = { "fail-fast": 50, bounded: 200, deliberate: 2000 } as const;

export function connectRedis(
  { redisUrl, prefix = DEFAULT_PREFIX }: Installation,
  wait: RedisWait,
  onError: (error: Error) => void,
): Redis {
  return connect(redisUrl, wait, onError, keyPrefixOf(prefix));
}

/** For BullMQ, which names its keys by itself and refuses a client that names them for it: see `queuePrefixOf`. */
export function connectForQueues(
  { redisUrl }: Installation,
  wait: RedisWait,
  onError: (error: Error) => void,
): Redis {
  return connect(redisUrl, wait, onError, "");
}

function connect(url: string, wait: RedisWait, onError: (error: Error) => void, keyPrefix: string): Redis {
  const redis =
    wait !== "patient"
      ? new Redis(url, {
          keyPrefix,
          commandTimeout: COMMAND_TIMEOUT_MS[wait],
          connectTimeout: 500,
          maxRetriesPerRequest: 0,
          enableOfflineQueue: false,
          // It would have to answer within one command's time, and a slow Redis would be connected to again for ever.
          enableReadyCheck: false,
          autoResendUnfulfilledCommands: false,
          retryStrategy: (attempt) => Math.min(attempt * 20, 100),
        })
      : new Redis(url, {
          keyPrefix,
          maxRetriesPerRequest: null,
          retryStrategy: (attempt) => Math.min(attempt * 50, 1000),
        });
  redis.on("error", onError);
  return redis;
}

/**
 * Every key of an installation lives under one hash tag, so that scripts may touch several in a cluster too. The client
 * puts it before each key of each command and script: nothing else names it, and nothing can forget it.
 */
function keyPrefixOf(prefix: string): string {
  return `{${prefix}}:`;
}

/** Channels are no keys: a client does not put the prefix before them. */
export function channelOf(redis: Redis, name: string): string {
  return `${redis.options.keyPrefix ?? ""}${name}`;
}

/** What BullMQ's keys begin with: in the default installation with BullMQ's own word. */
export function queuePrefixOf({ prefix = DEFAULT_PREFIX }: Installation): string {
  return prefix === DEFAULT_PREFIX ? "bull" : `${keyPrefixOf(prefix)}bull`;
}

/** For a queue that makes its own connection. */
export function queueOptions(installation: Installation) {
  return { connection: { url: installation.redisUrl }, prefix: queuePrefixOf(installation) };
}
