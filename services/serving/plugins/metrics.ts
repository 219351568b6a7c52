import type { App } from "../deps.ts";
import type { ServingMetrics } from "../serving-metrics.ts";

interface Timed {
  readonly observe: (seconds: number) => void;
  readonly byReply: Map<string, { inc(): void }>;
}

/** Counts and times every reply under its route pattern, never its URL: labels stay few, and are looked up once. */
export function measure(app: App, metrics: ServingMetrics): void {
  const routes = new Map<string, Timed>();
  const timedOf = (route: string): Timed => {
    const known = routes.get(route);
    if (known !== undefined) return known;
    const latency = metrics.latency.labels({ route });
    const made = { observe: (seconds: number) => latency.observe(seconds), byReply: new Map() };
    routes.set(route, made);
    return made;
  };
  app.addHook("onResponse", ({ routeOptions, method }, { statusCode, elapsedTime }, done) => {
    const route = routeOptions.url ?? "unknown";
    const { observe, byReply } = timedOf(route);
    observe(elapsedTime / 1000);
    const reply = `${method} ${statusCode}`;
    let counter = byReply.get(reply);
    if (counter === undefined) {
      counter = metrics.requests.labels({ route, method, status: statusCode });
      byReply.set(reply, counter);
    }
    counter.inc();
    done();
  });
}
