import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { Decision } from "../../models/gate/decision.ts";
import type { ArtifactStore } from "../artifacts/types.ts";
import type { FindingsStore } from "../findings/redis-findings.ts";
import type { EventLog } from "../interactions/types.ts";
import type { JobProducers } from "../queues/producers.ts";
import type { DecisionLog } from "../registry/decisions.ts";
import type { RedisRegistry } from "../registry/registry.ts";
import type { Looks } from "../shadow/looks.ts";
import type { CatalogueIndex } from "./catalogue-index.ts";
import type { Histories } from "./histories.ts";
import type { Interleaving } from "./interleaving.ts";
import type { LiveModel } from "./live-model.ts";
import type { ServingMetrics } from "./serving-metrics.ts";
import type { ShadowTap } from "./shadow-tap.ts";

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface ServingDeps {
  readonly registry: RedisRegistry;
  readonly artifacts: ArtifactStore;
  readonly events: EventLog;
  readonly producers: JobProducers;
  readonly decisions: Omit<DecisionLog<Decision>, "append" | "list">;
  /** Read once per use: a new import replaces the index as a whole. */
  readonly catalogue: { readonly current: CatalogueIndex };
  readonly findings: FindingsStore;
  readonly looks: Pick<Looks, "latest">;
  readonly live: LiveModel;
  readonly histories: Histories;
  readonly shadow: ShadowTap;
  readonly interleaving: Interleaving;
  readonly metrics: ServingMetrics;
  /** Whether the connection to Redis is up right now. */
  readonly redisUp: () => boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly adminKey: string;
}

export interface AppLimits {
  /** Requests answered at once before the rest are refused with OVERLOADED. */
  readonly maxInFlight: number;
  /** Mean event-loop delay over 100 ms past which requests are refused. */
  readonly maxEventLoopDelayMs: number;
  /** Per client address and minute, for routes that need a key. */
  readonly operatorRequestsPerMinute: number;
  /** Per client address and minute, for all other routes. */
  readonly publicRequestsPerMinute: number;
}

export const DEFAULT_LIMITS: AppLimits = {
  maxInFlight: 100,
  maxEventLoopDelayMs: 150,
  operatorRequestsPerMinute: 600,
  publicRequestsPerMinute: 600_000,
};
