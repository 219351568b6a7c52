import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

export type RunScript = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/**
 * A Lua script bound to a client. Sent by its hash; by its text only when this server does not know it yet,
 * as after a restart. NOSCRIPT means that nothing ran, so sending again cannot apply an effect twice.
 */
export function luaScript(redis: Redis, source: string): RunScript {
  const sha1 = createHash("sha1").update(source).digest("hex");
  return async (keys, args) => {
    try {
      return await redis.evalsha(sha1, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return await redis.eval(source, keys.length, ...keys, ...args);
    }
  };
}
