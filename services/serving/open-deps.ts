import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { FastifyBaseLogger } from "fastify";
import { MS_PER_DAY } from "../../models/data/day.ts";
import type { Policy } from "../../models/gate/policy.ts";
import { artifactStore } from "../artifacts/artifact-store.ts";
import type { Config } from "../config.ts";
import { redisFindings } from "../findings/redis-findings.ts";
import { redisFleetLog } from "../fleet/redis-fleet-log.ts";
import { redisForecasts } from "../forecasts/redis-forecasts.ts";
import { watchSurroundings } from "../health/surroundings.ts";
import { workerHearts } from "../health/worker-hearts.ts";
import { redisHoldbackLog } from "../holdback/redis-holdback-log.ts";
import { redisEventLog } from "../interactions/event-log.ts";
import { redisInterleavingLog } from "../interleaving/redis-interleaving-log.ts";
import { redisItemChanges } from "../items/item-changes.ts";
import { isLoopback, operatorKey } from "../keys/exposure.ts";
import { followInstallationSecret, rememberedSecret } from "../keys/installation-secret.ts";
import { followKeys, KeyRing } from "../keys/key-ring.ts";
import { redisKeyStore } from "../keys/key-store.ts";
import { RequestIds } from "../keys/request-ids.ts";
import { openUserTokens } from "../keys/user-tokens.ts";
import { readEventRules, readPolicy } from "../policy-file.ts";
import { createProducers } from "../queues/producers.ts";
import { connectRedis, type RedisWait } from "../redis.ts";
import { redisDecisionLog } from "../registry/decisions.ts";
import { redisRegistry } from "../registry/registry.ts";
import { redisLooks } from "../shadow/looks.ts";
import { redisPanelDraws } from "../shadow/panel-draw.ts";
import { openStores } from "../storage/open-store.ts";
import { endsWithin } from "../waiting.ts";
import { CatalogueFile } from "./catalogue-file.ts";
import type { ServingDeps } from "./deps.ts";
import { FleetReporter } from "./fleet-reporter.ts";
import { FollowedErasures } from "./followed-erasures.ts";
import { FollowedHistories } from "./followed-histories.ts";
import { FollowedItems } from "./followed-items.ts";
import { FollowedPanel } from "./followed-panel.ts";
import { Histories } from "./histories.ts";
import { Holdback } from "./holdback.ts";
import { Interleaving } from "./interleaving.ts";
import { LastLiveFile } from "./last-live.ts";
import { LiveModel } from "./live-model.ts";
import type { ServedModel } from "./served-model.ts";
import { interleavingEvents, liveModelEvents } from "./serving-events.ts";
import { createMetrics } from "./serving-metrics.ts";
import { ShadowTap } from "./shadow-tap.ts";
import { Visitors } from "./visitors.ts";

type TokenSetting = "tokenKeys" | "tokenAlgorithm" | "tokenIssuer" | "tokenAudience";

export type ServerConfig = Pick<
  Config,
  "redisUrl" | "port" | "host" | "stateFolder" | "adminKey" | "logLevel"
> &
  Partial<Pick<Config, "policyFile" | "prefix" | "metricsPort" | "trustedProxies" | TokenSetting>>;

export interface DepsOptions {
  readonly config: ServerConfig;
  /** Every limit (default: the configured policy file). */
  readonly policy?: Policy | undefined;
  /** Share of requests copied to the shadow, 0 … 1 (default: the policy's). */
  readonly shadowRate?: number | undefined;
}

export interface OpenedDeps {
  readonly deps: ServingDeps;
  /** Follows keys and the installation's secret; resolves once those of the last run are known. */
  follow(): Promise<void>;
  /** Follows the live pointer and whatever else a list needs. */
  start(): void;
  close(): Promise<void>;
}

/** Longest that closing waits for a Redis that does not answer, milliseconds. */
const CLOSE_TIMEOUT_MS = 1000;

/** Opens all that the API stands on, in this process and in Redis; nothing is followed yet. */
export async function openDeps(options: DepsOptions, log: FastifyBaseLogger): Promise<OpenedDeps> {
  const { config } = options;
  const policy = options.policy ?? (await readPolicy(config.policyFile ?? null));
  const rules = await readEventRules(config.policyFile ?? null);
  const adminKey = await operatorKey(config);
  const userTokens = await openUserTokens(config, Date.now, (error) =>
    log.warn({ err: error }, "keys of user tokens not read; the last known ones stay in use"),
  );
  const metrics = createMetrics();
  const failing = (use: string) => () => metrics.redisErrors.inc({ use });
  const connect = (wait: RedisWait, use: string) => connectRedis(config, wait, failing(use));
  const reads = connect("fail-fast", "reads");
  const redis = connect("bounded", "writes");
  const pointers = connect("deliberate", "registry");
  const registry = redisRegistry(pointers, {
    automaticPerDay: policy.rollback.automaticPerDay,
    onWatchError: failing("watch"),
  });
  const keys = redisKeyStore(pointers);
  const keyRing = new KeyRing({ store: keys, adminKey, file: join(config.stateFolder, "keys.json") });
  const secretFile = join(config.stateFolder, "installation-secret");
  const requestIds = new RequestIds(await rememberedSecret(secretFile));
  const stores = openStores(config);
  const artifacts = artifactStore(stores.artifacts);
  const producers = createProducers(config, failing("queues"), policy.shadow);
  const catalogue = new CatalogueFile(stores.snapshot);
  const itemChanges = redisItemChanges(redis);
  const items = new FollowedItems(catalogue, itemChanges, failing("items"));
  const histories = new Histories(redisEventLog(reads), { onError: failing("history") });
  const followed = new FollowedHistories(reads, histories, failing("history"));
  const visitors = new Visitors();
  const erasures = new FollowedErasures(redis, [histories, visitors], failing("erasures"));
  const periodMs = policy.shadow.panelDays * MS_PER_DAY;
  const panel = new FollowedPanel(redisPanelDraws(reads), periodMs, failing("panel"));
  const shadow = new ShadowTap({
    isInPanel: (user, now) => panel.has(user, now),
    rate: options.shadowRate ?? policy.shadow.samplingRate,
    capacity: policy.shadow.ringSize,
    batchSize: policy.shadow.batchSize,
    send: (batch) => producers.addShadow(batch),
    onShed: (reason, requests) => metrics.shadowShed.inc({ reason }, requests),
  });
  const fleetLog = redisFleetLog(redis);
  const replica = randomUUID();
  const fleet = new FleetReporter({
    send: (report) => fleetLog.report(replica, report),
    slots: policy.rollback.fleetWindowSeconds,
  });
  const leave = (model: ServedModel, why: string): void => {
    if (!policy.rollback.automatic) return;
    const reason = `${why} on a replica`;
    registry
      .rollback({ expectedLive: model.version, reason, actor: "breaker", automatic: true })
      .then((result) => live.follow(result.live))
      .catch((cause) => log.error({ err: cause }, "automatic rollback failed; another version answers"));
  };
  const live: LiveModel = new LiveModel({
    registry,
    artifacts,
    lastLive: lastLiveFile(config),
    breaker: policy.rollback,
    beforeSwap: async () => {
      try {
        await catalogue.refresh();
      } catch (error) {
        log.error({ err: error }, "catalogue not read; titles may be missing");
      }
    },
    events: liveModelEvents({ metrics, fleet, log, leave }),
  });
  const interleaving = new Interleaving({
    log: redisInterleavingLog(reads),
    load: (version) => live.tryOut(version),
    events: interleavingEvents({ metrics, log }),
  });
  const surroundings = watchSurroundings({
    installation: config,
    redis: pointers,
    hearts: workerHearts(pointers),
    onChange: (problems) => log.warn({ problems }, "what the service stands on"),
  });
  const following: { close(): unknown }[] = [];
  let started: Promise<void> = Promise.resolve();

  return {
    deps: {
      registry,
      artifacts,
      events: redisEventLog(redis),
      producers,
      decisions: redisDecisionLog(pointers),
      findings: redisFindings(pointers),
      looks: redisLooks(pointers),
      forecasts: redisForecasts(pointers),
      holdback: new Holdback({
        log: redisHoldbackLog(reads),
        share: policy.holdback.share,
        listsPerUser: policy.shadow.requestsPerUser,
        onError: failing("holdback"),
      }),
      holdbackLog: redisHoldbackLog(pointers),
      rules,
      catalogue: items,
      itemChanges: {
        ...itemChanges,
        change: async (changes) => {
          await itemChanges.change(changes);
          // Whoever changed an item finds it changed here; other replicas follow within a second.
          await items.look().catch(() => metrics.redisErrors.inc({ use: "items" }));
        },
      },
      live,
      histories,
      visitors,
      shadow,
      interleaving,
      metrics,
      metricsApart: typeof config.metricsPort === "number",
      redisUp: () => redis.status === "ready",
      surroundings: () => surroundings.latest,
      now: Date.now,
      keys,
      keyRing,
      requestIds,
      userTokens,
      openToVisitors: () => isLoopback(config.host) && keyRing.size === 0,
    },
    follow: async () => {
      following.push(await followKeys(pointers, keyRing, failing("keys")));
      const use = (secret: string) => requestIds.use(secret);
      following.push(await followInstallationSecret(pointers, secretFile, use, failing("keys")));
    },
    start: () => {
      interleaving.start();
      items.start();
      erasures.start();
      followed.start();
      panel.start();
      started = live.start().catch((error) => log.error({ err: error }, "live model not started"));
    },
    close: async () => {
      await started;
      items.close();
      erasures.close();
      followed.close();
      panel.close();
      histories.close();
      const closing = [
        ...following.map((one) => one.close()),
        interleaving.close(),
        live.close(),
        surroundings.close(),
        fleet.close(),
        shadow.close().then(() => producers.close()),
      ];
      await endsWithin(CLOSE_TIMEOUT_MS, Promise.allSettled(closing));
      for (const client of [redis, reads, pointers]) client.disconnect();
    },
  };
}

export function lastLiveFile({ stateFolder }: Pick<ServerConfig, "stateFolder">): LastLiveFile {
  return new LastLiveFile(join(stateFolder, "last-live.json"));
}
