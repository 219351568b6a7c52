import { Redis } from "ioredis";

/**
 * The one place an ioredis client is made. Four temperaments: a read that a reply can do without must fail fast; a
 * user's write may take longer, yet must end; an operator's call, most of all a rollback, must not be refused
 * because a busy machine is late; a worker must wait for Redis and lose nothing.
 */
export type RedisTemperament = "fail-fast" | "bounded" | "deliberate" | "patient";

/** Longest wait for one Redis command, milliseconds. */
const COMMAND_TIMEOUT_MS = { "fail-fast": 50, bounded: 200, deliberate: 2000 } as const;

export function connectRedis(
  url: string,
  temperament: RedisTemperament,
  onError: (error: Error) => void,
): Redis {
  const redis =
    temperament !== "patient"
      ? new Redis(url, {
          commandTimeout: COMMAND_TIMEOUT_MS[temperament],
          connectTimeout: 500,
          maxRetriesPerRequest: 0,
          enableOfflineQueue: false,
          autoResendUnfulfilledCommands: false,
          retryStrategy: (attempt) => Math.min(attempt * 20, 100),
        })
      : new Redis(url, {
          maxRetriesPerRequest: null,
          retryStrategy: (attempt) => Math.min(attempt * 50, 1000),
        });
  redis.on("error", onError);
  return redis;
}

/** Every key lives under one hash tag, so that scripts may touch several in a cluster too. */
export const KEY_PREFIX = "{phasewise}:";
