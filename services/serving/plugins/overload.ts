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

/** The event loop's lag is the mean of so long. */
const SAMPLE_MS = 1000;

/**
 * Sheds load early: a request refused at once costs little, one that waits costs its client the wait. Two signs of
 * overload: too many requests in flight here, and an event loop whose lag is too long in two samples on end. One alone is
 * no overload: it may be of the time before the first request, when the process was starting.
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
  let lateSince = 0;
  let lastLate = Number.NEGATIVE_INFINITY;
  const staysLate = (): boolean => {
    const now = performance.now();
    if (now - lastLate > SAMPLE_MS) lateSince = now;
    lastLate = now;
    return now - lateSince >= SAMPLE_MS;
  };
  await app.register(underPressure, {
    maxEventLoopDelay: limits.maxEventLoopDelayMs,
    sampleInterval: SAMPLE_MS,
    pressureHandler: (request, _reply, _type, delayMs) => {
      // Infinity means that no delay was sampled lately, as when the machine had no time for this process.
      if (request.routeOptions.config.neverRefused || !Number.isFinite(delayMs)) return;
      if (staysLate()) throw refuse("event-loop");
    },
  });
}
