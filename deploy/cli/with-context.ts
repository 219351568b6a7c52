import { type JobContext, openContext } from "../../jobs/context.ts";
import { loadConfig } from "../../services/config.ts";
import { whileRedisAnswers } from "../../services/health/require-redis.ts";

/** For a verb that works on Redis itself, beside the service. @throws STORE_UNAVAILABLE when that is away or not fit */
export function withContext<T>(work: (context: JobContext) => Promise<T>): Promise<T> {
  const config = loadConfig();
  return whileRedisAnswers(config, async () => {
    const context = await openContext(config);
    try {
      return await work(context);
    } finally {
      await context.close();
    }
  });
}
