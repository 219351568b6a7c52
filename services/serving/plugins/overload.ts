import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";
import { PhasewiseError } from "../../errors.ts";
import { AdaptiveLimit } from "../adaptive-limit.ts";
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

/** Slots that are left however late everything is. */
const LEAST_SLOTS = 8;
/** How often the lag of the event loop is looked at, milliseconds. */
const LAG_EVERY_MS = 20;

/**
 * Slots count work, not sockets: a request holds one from when its handler starts, the body read and checked, until it
 * has its answer. A client that is slow to send or to read holds none. Operators' routes have slots of their own, and
 * so has the API's description.
 *
 * Load is shed early, since a request refused at once costs little and one that waits costs its client the wait. How many
 * slots there are follows from how long requests take.
 */
export function refuseOverload(app: App, limits: AppLimits, metrics: ServingMetrics): void {
  const adaptive = new AdaptiveLimit({
    least: LEAST_SLOTS,
    most: limits.maxInFlight,
    targetMs: limits.targetMs,
  });
  // A request waits a turn of the event loop before this service hears of it.
  let lagMs = 0;
  let due = performance.now() + LAG_EVERY_MS;
  const lag = setInterval(() => {
    lagMs = Math.max(0, performance.now() - due);
    due = performance.now() + LAG_EVERY_MS;
  }, LAG_EVERY_MS);
  lag.unref();
  app.addHook("onClose", async () => clearInterval(lag));
  const everybody = new Slots(() => adaptive.limit, limits.clientShare);
  const slots = {
    everybody,
    operators: new Slots(() => limits.operatorSlots, 1),
    readers: new Slots(() => limits.readerSlots, limits.clientShare),
  };
  const refuse = (): PhasewiseError => {
    metrics.refused.inc({ cause: "in-flight" });
    return new PhasewiseError("OVERLOADED", "too many requests at once; try again in a second");
  };
  app.decorateRequest("leaveSlot", null);
  // The first hook: what is refused here costs next to nothing, and its body is not read.
  app.addHook("onRequest", async (request) => {
    if (everybody.full && kindOf(request) === "everybody") throw refuse();
  });
  app.addHook("onRoute", (route) => {
    const { handler } = route;
    route.handler = function (this: App, request: FastifyRequest, reply: FastifyReply) {
      const kind = kindOf(request);
      if (kind === "free") return handler.call(this, request, reply);
      const leave = slots[kind].take(clientOf(request.ip));
      if (leave === null) throw refuse();
      request.leaveSlot =
        kind === "everybody"
          ? () => {
              leave();
              adaptive.record(reply.elapsedTime + lagMs, performance.now());
            }
          : leave;
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
  app.addHook("onSend", async (request) => {
    request.leaveSlot?.();
    request.leaveSlot = null;
  });
}

/** `free` takes no slot: health, metrics, and what is no route at all. `readers` are those of the API's description. */
function kindOf(request: FastifyRequest): "free" | "operators" | "readers" | "everybody" {
  const { access, neverRefused } = request.routeOptions.config;
  if (neverRefused || request.is404) return "free";
  if (access === "open") return "readers";
  return access === "operate" || access === "admin" ? "operators" : "everybody";
}
