import { type Logger, pino } from "pino";
import type { ItemId } from "../models/data/ids.ts";
import type { Catalogue } from "../models/data/interaction-log.ts";
import type { Decision } from "../models/gate/decision.ts";
import type { Policy } from "../models/gate/policy.ts";
import type { Standing } from "../models/gate/standing.ts";
import { artifactStore } from "../services/artifacts/artifact-store.ts";
import type { ArtifactStore } from "../services/artifacts/types.ts";
import { type Checkpoints, checkpointsIn } from "../services/checkpoints/checkpoints.ts";
import { type Config, loadConfig } from "../services/config.ts";
import { type Evaluations, redisEvaluations } from "../services/evaluations/evaluations.ts";
import { type FindingsStore, redisFindings } from "../services/findings/redis-findings.ts";
import { redisFleetLog } from "../services/fleet/redis-fleet-log.ts";
import type { FleetLog } from "../services/fleet/types.ts";
import { type Forecasts, redisForecasts } from "../services/forecasts/redis-forecasts.ts";
import { redisHoldbackLog } from "../services/holdback/redis-holdback-log.ts";
import type { HoldbackLog } from "../services/holdback/types.ts";
import { redisEventLog } from "../services/interactions/event-log.ts";
import type { EventLog } from "../services/interactions/types.ts";
import { whileWriting } from "../services/interactions/writing-lock.ts";
import { redisInterleavingLog } from "../services/interleaving/redis-interleaving-log.ts";
import type { InterleavingLog } from "../services/interleaving/types.ts";
import { hiddenItems, withChanges } from "../services/items/changed-catalogue.ts";
import { redisItemChanges } from "../services/items/item-changes.ts";
import { readPolicy } from "../services/policy-file.ts";
import { type ShadowBacklog, shadowBacklog } from "../services/queues/shadow-backlog.ts";
import { connectRedis } from "../services/redis.ts";
import { type DecisionLog, redisDecisionLog } from "../services/registry/decisions.ts";
import { type RedisRegistry, redisRegistry } from "../services/registry/registry.ts";
import { ClosingClocks } from "../services/shadow/closing-clocks.ts";
import { type Looks, redisLooks } from "../services/shadow/looks.ts";
import { type PanelDraws, redisPanelDraws } from "../services/shadow/panel-draw.ts";
import { redisShadowLog } from "../services/shadow/redis-shadow-log.ts";
import type { ShadowLog } from "../services/shadow/types.ts";
import { openStores, type Stores } from "../services/storage/open-store.ts";
import { type ItemInformation, itemInformation } from "./data/item-information.ts";
import { knownCatalogue } from "./data/known-catalogue.ts";
import { loadTrainingData, protocolOf, type TrainingData, userLimits } from "./data/training-data.ts";

/** Everything a job may touch, made once a process. */
export interface JobContext {
  readonly config: Config;
  readonly stores: Stores;
  readonly policy: Policy;
  readonly log: Logger;
  readonly registry: RedisRegistry;
  readonly artifacts: ArtifactStore;
  /** States of fits that are under way. */
  readonly checkpoints: Checkpoints;
  readonly events: EventLog;
  readonly decisions: DecisionLog<Decision>;
  readonly evaluations: Evaluations;
  readonly shadowLog: ShadowLog;
  /** Where open attempts stood when this process ruled on them last. */
  readonly standings: Map<string, Standing>;
  /** Whether pairs of challengers were proven, when this process tested them last; `name` tells their versions. */
  readonly provenPairs: Map<
    string,
    { readonly users: number; readonly name: string; readonly proven: boolean }
  >;
  /** Who is shadowed. */
  readonly draws: PanelDraws;
  readonly backlog: ShadowBacklog;
  /** By which windows close. */
  readonly closing: ClosingClocks;
  readonly interleaving: InterleavingLog;
  readonly fleet: FleetLog;
  readonly findings: FindingsStore;
  readonly looks: Looks;
  readonly forecasts: Forecasts;
  readonly holdback: HoldbackLog;
  /** All events known now; with the hash of data loaded earlier, those known then, if they can still be found. */
  loadTrainingData(sha256?: string): Promise<TrainingData>;
  /** The item catalogue as last imported. */
  catalogue(): Promise<Catalogue>;
  /** Items that no list may hold now. */
  hiddenItems(): Promise<ReadonlySet<ItemId>>;
  /** How surprising each item is, by its share of all events. */
  itemInformation(): Promise<ItemInformation>;
  /** Does `work` while nobody else writes snapshots. @throws CONFLICT after minutes of waiting */
  writing<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** Epoch milliseconds. */
  now(): number;
  isoNow(): string;
  close(): Promise<void>;
}

/** An import of the largest size takes a minute or two. */
const WRITING_WAIT_MS = 10 * 60_000;

export async function openContext(config: Config = loadConfig()): Promise<JobContext> {
  const log = pino({ level: config.logLevel }, pino.destination(2));
  const policy = await readPolicy(config.policyFile);
  const redis = connectRedis(config, "patient", (error) => log.warn({ error: error.message }, "redis"));
  const stores = openStores(config);
  const events = redisEventLog(redis);
  const itemChanges = redisItemChanges(redis);
  const catalogue = knownCatalogue(stores.snapshot);
  const backlog = shadowBacklog(config);
  const now = (): number => Date.now();
  return {
    config,
    stores,
    policy,
    log,
    registry: redisRegistry(redis, { automaticPerDay: policy.rollback.automaticPerDay }),
    artifacts: artifactStore(stores.artifacts),
    checkpoints: checkpointsIn(stores.checkpoints),
    events,
    decisions: redisDecisionLog<Decision>(redis),
    evaluations: redisEvaluations(redis, protocolOf(policy.training)),
    shadowLog: redisShadowLog(redis, policy.shadow.latencySamples),
    standings: new Map(),
    provenPairs: new Map(),
    draws: redisPanelDraws(redis),
    backlog,
    closing: new ClosingClocks(),
    interleaving: redisInterleavingLog(redis),
    fleet: redisFleetLog(redis),
    findings: redisFindings(redis),
    looks: redisLooks(redis),
    forecasts: redisForecasts(redis),
    holdback: redisHoldbackLog(redis),
    loadTrainingData: async (sha256) => {
      const data = await loadTrainingData(stores.snapshot, events, now(), userLimits(policy), sha256);
      return { ...data, catalogue: withChanges(data.catalogue, await itemChanges.read()) };
    },
    catalogue: async () => withChanges(await catalogue(), await itemChanges.read()),
    hiddenItems: async () => hiddenItems(await catalogue(), await itemChanges.read(), now()).items,
    itemInformation: itemInformation(stores.snapshot),
    writing: (what, work) =>
      whileWriting(
        redis,
        { what, waitMs: WRITING_WAIT_MS, onWait: (holder) => log.info({ what, holder }, "waiting") },
        work,
      ),
    now,
    isoNow: () => new Date(now()).toISOString(),
    close: async () => {
      await backlog.close();
      redis.disconnect();
    },
  };
}
