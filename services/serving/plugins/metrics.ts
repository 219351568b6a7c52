import type { App } from "../deps.ts";
import type { ServingMetrics } from "../serving-metrics.ts";

/** Counts and times every reply under its route pattern, never its URL: labels stay few. */
export function measure(app: App, metrics: ServingMetrics): void {
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    metrics.requests.inc({ route, method: request.method, status: reply.statusCode });
    metrics.latency.observe({ route }, reply.elapsedTime / 1000);
  });
}
