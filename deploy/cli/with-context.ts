import { type JobContext, openContext } from "../../jobs/context.ts";
import { whileRedisAnswers } from "../../services/health/require-redis.ts";
import { type RedisOptions, verbConfig } from "./verb-config.ts";

/** For a verb that works on Redis itself, beside the service. @throws STORE_UNAVAILABLE when that is away or not fit */
export function withContext<T>(
  { redis }: RedisOptions,
  work: (context: JobContext) => Promise<T>,
): Promise<T> {
  const config = verbConfig({ redisUrl: redis });
  return whileRedisAnswers(config, async () => {
    const context = await openContext(config);
    try {
      return await work(context);
    } finally {
      await context.close();
    }
  });
}
