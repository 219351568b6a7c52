import type { FastifyBaseLogger } from "fastify";
import type { FleetReporter } from "./fleet-reporter.ts";
import type { InterleavingDeps } from "./interleaving.ts";
import type { LiveModelEvents } from "./live-model.ts";
import type { ServedModel } from "./served-model.ts";
import type { ServingMetrics } from "./serving-metrics.ts";

export interface EventSinks {
  readonly metrics: ServingMetrics;
  readonly fleet: Pick<FleetReporter, "serves" | "record">;
  readonly log: FastifyBaseLogger;
  /** Leaves a version that fails too often, in all replicas. */
  readonly leave: (model: ServedModel, why: string) => void;
}

/** What happens to the live model and the canary, as figures and in the log. */
export function liveModelEvents({ metrics, fleet, log, leave }: EventSinks): LiveModelEvents {
  return {
    onSwap: ({ live, epoch, liveEpoch }, broken) => {
      fleet.serves(live.version, liveEpoch);
      metrics.live.reset();
      metrics.live.set({ version: live.version, phase: live.phase, recipe: live.recipe }, 1);
      metrics.epoch.set(epoch);
      metrics.breaker.set(Number(broken));
    },
    onFallback: (from, to) => metrics.fallbacks.inc({ from: from.version, to: to.version }),
    onAsked: (elapsedMs) => fleet.record(elapsedMs),
    onLoadFailed: (version, error) => {
      metrics.loadFailures.inc({ version });
      log.error({ version, err: error }, "version not loaded; the one before keeps serving");
    },
    onRegistryLost: (words) => log.error(words),
    onBroken: (model, why, error) => {
      metrics.breaker.set(1);
      const { version } = model;
      log.error({ version, err: error, why }, "live model set aside; the one before answers");
      leave(model, why);
    },
    canary: {
      onOutcome: (outcome) => metrics.canaryRequests.inc({ outcome }),
      onBroken: (model, why, error) => {
        log.error({ version: model.version, err: error, why }, "canary set aside; live answers");
        leave(model, why);
      },
    },
  };
}

/** The same of the challenger whose lists are mixed in. */
export function interleavingEvents({
  metrics,
  log,
}: Pick<EventSinks, "metrics" | "log">): NonNullable<InterleavingDeps["events"]> {
  return {
    onOutcome: (outcome) => metrics.interleaved.inc({ outcome }),
    onChallengerFailed: (version, error) =>
      log.warn({ version, err: error }, "interleaved challenger failed; the live list was served"),
    onLoadFailed: (version, error) => {
      metrics.loadFailures.inc({ version });
      log.error({ version, err: error }, "challenger not loaded; nothing is interleaved");
    },
    onError: () => metrics.redisErrors.inc({ use: "interleaving" }),
  };
}
