import underPressure from "@fastify/under-pressure";
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";
import { PhasewiseError } from "../../errors.ts";
import { clientOf } from "../client-address.ts";
import type { App, AppLimits } from "../deps.ts";
import type { ServingMetrics } from "../serving-metrics.ts";
import { type Leave, Slots } from "../slots.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Health and metrics answer whatever the load. */
    neverRefused?: boolean;
  }
  interface FastifyRequest {
    /** Gives the request's slot back; null while it holds none. */
    leaveSlot: Leave | null;
  }
}

/** The event loop's lag is the mean of so long. */
const SAMPLE_MS = 1000;

/**
 * Slots count work, not sockets: a request holds one from when its handler starts, the body read and checked, until it
 * has its answer. A client that is slow to send or to read holds none. Operators' routes have slots of their own, and so
 * has the API's description.
 *
 * Load is shed early, since a request refused at once costs little and one that waits costs its client the wait. Two
 * signs of overload: no free slot, and an event loop whose lag is too long in two samples on end. One alone is no
 * overload: it may be of the time before the first request, when the process was starting.
 */
export async function refuseOverload(app: App, limits: AppLimits, metrics: ServingMetrics): Promise<void> {
  const everybody = new Slots(() => limits.maxInFlight, limits.clientShare);
  const slots = {
    everybody,
    operators: new Slots(() => limits.operatorSlots, 1),
    readers: new Slots(() => limits.readerSlots, limits.clientShare),
  };
  const refuse = (cause: string): PhasewiseError => {
    metrics.refused.inc({ cause });
    return new PhasewiseError("OVERLOADED", "too many requests at once; try again in a second");
  };
  app.decorateRequest("leaveSlot", null);
  app.addHook("onRequest", async (request) => {
    // Before the body is read: what would find no slot later is not worth reading.
    if (kindOf(request) === "everybody" && everybody.full) throw refuse("in-flight");
  });
  app.addHook("onRoute", (route) => {
    const { handler } = route;
    route.handler = function (this: App, request: FastifyRequest, reply: FastifyReply) {
      const kind = kindOf(request);
      if (kind === "free") return handler.call(this, request, reply);
      const leave = slots[kind].take(clientOf(request.ip));
      if (leave === null) throw refuse("in-flight");
      request.leaveSlot = leave;
      let answer: unknown;
      try {
        answer = handler.call(this, request, reply);
      } catch (error) {
        leave();
        throw error;
      }
      return answer instanceof Promise ? answer.finally(leave) : answer;
    } as RouteHandlerMethod as typeof handler;
  });
  // Also of a handler that waits until its reply is read: how long that takes is its client's affair.
  app.addHook("onSend", async (request) => request.leaveSlot?.());

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
      if (kindOf(request) !== "everybody" || !Number.isFinite(delayMs)) return;
      if (staysLate()) throw refuse("event-loop");
    },
  });
}

/** `free` takes no slot: health, metrics, and what is no route at all. `readers` are those of the API's description. */
function kindOf(request: FastifyRequest): "free" | "operators" | "readers" | "everybody" {
  const { access, neverRefused } = request.routeOptions.config;
  if (neverRefused || request.is404) return "free";
  if (access === "open") return "readers";
  return access === "operate" || access === "admin" ? "operators" : "everybody";
}
