import { createServer } from "node:http";
import { PhasewiseError } from "../errors.ts";
import { endsWithin } from "../waiting.ts";
import type { ServingDeps } from "./deps.ts";
import { rawReply } from "./raw-reply.ts";
import { redisState } from "./redis-state.ts";

/** A page is made at most so often, however many ask for it, milliseconds. */
const MAX_AGE_MS = 250;
/** Longest that a page waits for Redis, milliseconds. */
const STORE_BUDGET_MS = 50;

export interface MetricsPage {
  readonly contentType: string;
  text(): Promise<string>;
}

/**
 * The page for Prometheus. It is never expensive: those who ask at once, or soon after each other, are given the same.
 */
export function metricsPage(deps: ServingDeps): MetricsPage {
  const { metrics, live, registry, looks, holdbackLog } = deps;
  let made: { readonly at: number; readonly text: Promise<string> } | null = null;

  const make = async (): Promise<string> => {
    metrics.redisUp.set(Number(redisState(deps) === "up"));
    // What was last known stays while Redis is away, as below.
    const { workers } = deps.surroundings();
    if (workers !== null) {
      metrics.workers.set(workers.alive);
      metrics.strangeWorkers.set(workers.otherCode);
    }
    const canary = live.lineup?.canary ?? null;
    metrics.canaryShare.reset();
    if (canary !== null) metrics.canaryShare.set({ version: canary.model.version }, canary.share);
    // Without Redis the gauge keeps what was last known: an alert must not end because nobody can be asked.
    const frozen = registry.freeze().then(
      (freeze) => metrics.frozen.set(freeze === null ? 0 : 1),
      () => {},
    );
    const suspects = looks.latest().then(
      (latest) => metrics.suspectComparisons.set(latest.filter(({ suspect }) => suspect === true).length),
      () => {},
    );
    const holdback = holdbackLog.status().then(
      (status) => {
        if (status === null) return;
        metrics.holdbackPairs.set(status.pairs);
        metrics.holdbackLift.set({ bound: "mean" }, status.lift);
        metrics.holdbackLift.set({ bound: "lower" }, status.lowerBound);
        metrics.holdbackLift.set({ bound: "upper" }, status.upperBound);
        metrics.holdbackHarm.set(Number(status.found === "harm"));
      },
      () => {},
    );
    await endsWithin(STORE_BUDGET_MS, Promise.all([frozen, suspects, holdback]));
    return metrics.registry.metrics();
  };
  return {
    contentType: metrics.registry.contentType,
    text() {
      const now = performance.now();
      if (made === null || now - made.at > MAX_AGE_MS) {
        const text = make();
        text.catch(() => {
          made = null;
        });
        made = { at: now, text };
      }
      return made.text;
    },
  };
}

/** Serves the page on a port of its own, and nothing else. */
export async function servePage(
  page: MetricsPage,
  listen: { readonly port: number; readonly host: string },
): Promise<{ close(): Promise<void>; readonly port: number }> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 3000 }, (request, response) => {
    request.resume();
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.socket?.end(rawReply("NOT_FOUND", "expected GET /metrics: this port serves nothing else"));
      return;
    }
    page.text().then(
      (text) => response.writeHead(200, { "content-type": page.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new PhasewiseError(
          "INVALID_CONFIGURATION",
          `metrics port ${listen.port}: expected it to be free, got "${error.message}"; set PHASEWISE_METRICS_PORT to another`,
          { setting: "metricsPort", variable: "PHASEWISE_METRICS_PORT" },
          error,
        ),
      ),
    );
    server.listen(listen, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : listen.port,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
