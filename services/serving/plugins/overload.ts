import underPressure from "@fastify/under-pressure";
import { PhasewiseError } from "../../errors.ts";
import type { App, AppLimits } from "../deps.ts";
import type { ServingMetrics } from "../serving-metrics.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Health and metrics answer whatever the load. */
    neverRefused?: boolean;
  }
}

/**
 * Sheds load early: a request refused at once costs little, one that waits costs its client the wait. Two
 * signs of overload: too many requests in flight here, and an event loop that lags on average over a second.
 * One long turn, as at start-up, is no overload.
 */
export async function refuseOverload(app: App, limits: AppLimits, metrics: ServingMetrics): Promise<void> {
  let inFlight = 0;
  const refuse = (cause: string): PhasewiseError => {
    metrics.refused.inc({ cause });
    return new PhasewiseError("OVERLOADED", "too many requests at once; try again in a second");
  };
  app.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.config.neverRefused) return;
    if (inFlight >= limits.maxInFlight) throw refuse("in-flight");
    inFlight++;
    // "close" comes exactly once for every reply, whether it was sent or its client went away.
    reply.raw.once("close", () => {
      inFlight--;
    });
  });
  await app.register(underPressure, {
    maxEventLoopDelay: limits.maxEventLoopDelayMs,
    sampleInterval: 1000,
    pressureHandler: (request, _reply, _type, delayMs) => {
      // Infinity means that no delay was sampled lately, as when the machine had no time for this process.
      if (request.routeOptions.config.neverRefused || !Number.isFinite(delayMs)) return;
      throw refuse("event-loop");
    },
  });
}
