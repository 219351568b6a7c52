import rateLimit from "@fastify/rate-limit";
import type { App, AppLimits } from "../deps.ts";

/** Per client address, in memory of this replica. Its hook is `onRequest`: wrong keys are counted like right ones. */
export async function limitRates(app: App, limits: AppLimits): Promise<void> {
  app.addHook("onRoute", (route) => {
    if (route.config?.access === "public" || route.config?.rateLimit !== undefined) return;
    const rateLimit = { max: limits.operatorRequestsPerMinute, timeWindow: 60_000 };
    route.config = { ...route.config, rateLimit };
  });
  await app.register(rateLimit, {
    global: true,
    hook: "onRequest",
    max: limits.publicRequestsPerMinute,
    timeWindow: 60_000,
    addHeadersOnExceeding: {
      "x-ratelimit-limit": false,
      "x-ratelimit-remaining": false,
      "x-ratelimit-reset": false,
    },
  });
}
