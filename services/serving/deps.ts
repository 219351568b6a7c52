import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { EventRules } from "../../models/data/event-rules.ts";
import type { ItemId } from "../../models/data/ids.ts";
import type { Decision } from "../../models/gate/decision.ts";
import type { ArtifactStore } from "../artifacts/types.ts";
import type { FindingsStore } from "../findings/redis-findings.ts";
import type { Forecasts } from "../forecasts/redis-forecasts.ts";
import type { Surroundings } from "../health/surroundings.ts";
import type { HoldbackLog } from "../holdback/types.ts";
import type { EventLog } from "../interactions/types.ts";
import type { ItemChangeStore } from "../items/item-changes.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import type { KeyStore } from "../keys/key-store.ts";
import type { RequestIds } from "../keys/request-ids.ts";
import type { UserTokens } from "../keys/user-tokens.ts";
import type { JobProducers } from "../queues/producers.ts";
import type { DecisionLog } from "../registry/decisions.ts";
import type { RedisRegistry } from "../registry/registry.ts";
import type { Looks } from "../shadow/looks.ts";
import type { CatalogueIndex } from "./catalogue-index.ts";
import type { Histories } from "./histories.ts";
import type { Holdback } from "./holdback.ts";
import type { Interleaving } from "./interleaving.ts";
import type { LiveModel } from "./live-model.ts";
import type { ServingMetrics } from "./serving-metrics.ts";
import type { ShadowTap } from "./shadow-tap.ts";
import type { Visitors } from "./visitors.ts";

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
  readonly catalogue: {
    readonly current: CatalogueIndex;
    /** Items that no list may hold now. */
    readonly hidden?: ReadonlySet<ItemId> | undefined;
  };
  readonly itemChanges: ItemChangeStore;
  readonly findings: FindingsStore;
  readonly looks: Pick<Looks, "latest">;
  readonly forecasts: Pick<Forecasts, "over">;
  readonly holdback: Holdback;
  readonly holdbackLog: Pick<HoldbackLog, "status">;
  readonly live: LiveModel;
  readonly histories: Histories;
  readonly visitors: Visitors;
  readonly shadow: ShadowTap;
  readonly interleaving: Interleaving;
  readonly metrics: ServingMetrics;
  /** What events and ratings mean. */
  readonly rules: EventRules;
  /** Whether the metrics are served on a port of their own, and so not here. */
  readonly metricsApart: boolean;
  /** Whether the connection to Redis is up right now. */
  readonly redisUp: () => boolean;
  /** Redis and the workers, as they were last looked at. */
  readonly surroundings: () => Surroundings;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly keys: KeyStore;
  readonly keyRing: KeyRing;
  readonly requestIds: RequestIds;
  /** Null when the site signs no user tokens. */
  readonly userTokens: UserTokens | null;
  /** Whether callers without a key are answered now. */
  readonly openToVisitors: () => boolean;
}

export interface AppLimits {
  /** Most requests worked on at once before the rest are refused with OVERLOADED; fewer while they take long. */
  readonly maxInFlight: number;
  /** Mean time of a request in this process past which fewer are worked on at once, milliseconds. */
  readonly targetMs: number;
  /** Of them, the share that one client may have. */
  readonly clientShare: number;
  /** The same for operators' routes, which have slots of their own. */
  readonly operatorSlots: number;
  /** The same for those that look at what there is, and again for the API's description and its pages. */
  readonly readerSlots: number;
  /** Connections of one address at once, unless it is a trusted proxy. */
  readonly connectionsPerClient: number;
  /**
   * Requests of one client at once that come through a trusted proxy, from their headers to the last byte of their
   * replies.
   */
  readonly openRequestsPerClient: number;
  /** Longest that a client may take to read a reply. */
  readonly writeTimeoutMs: number;
  /** Per key and client address, for routes of operators. */
  readonly operatorRequestsPerMinute: number;
  /** Per client address, of callers without a key. */
  readonly publicRequestsPerMinute: number;
  /** Per client address, of callers with a publishable key; and per user, of those with a user token too. */
  readonly browserRequestsPerMinute: number;
  /** Per user whom a back end asks for. */
  readonly userRequestsPerMinute: number;
  /** Per client address: after so many wrong keys the next ones are told to wait. The right one never is. */
  readonly failedKeysPerMinute: number;
}

export const DEFAULT_LIMITS: AppLimits = {
  maxInFlight: 150,
  targetMs: 60,
  clientShare: 0.8,
  operatorSlots: 20,
  readerSlots: 10,
  connectionsPerClient: 1000,
  openRequestsPerClient: 1000,
  writeTimeoutMs: 10_000,
  operatorRequestsPerMinute: 600,
  publicRequestsPerMinute: 600_000,
  browserRequestsPerMinute: 600,
  userRequestsPerMinute: 60_000,
  failedKeysPerMinute: 60,
};
