import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import closeWithGrace from "close-with-grace";
import type { Policy } from "../../models/gate/policy.ts";
import { artifactStore } from "../artifacts/artifact-store.ts";
import { type Config, loadConfig } from "../config.ts";
import { stopWithParent } from "../end-with-parent.ts";
import { redisFindings } from "../findings/redis-findings.ts";
import { redisFleetLog } from "../fleet/redis-fleet-log.ts";
import { exitUnlessFit } from "../health/require-redis.ts";
import { watchSurroundings } from "../health/surroundings.ts";
import { workerHearts } from "../health/worker-hearts.ts";
import { redisEventLog } from "../interactions/event-log.ts";
import { redisInterleavingLog } from "../interleaving/redis-interleaving-log.ts";
import { redisItemChanges } from "../items/item-changes.ts";
import { isLoopback, OPEN_TO_THIS_MACHINE, operatorKey } from "../keys/exposure.ts";
import { installationSecret, rememberedSecret } from "../keys/installation-secret.ts";
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
import { openStores } from "../storage/open-store.ts";
import { endsWithin } from "../waiting.ts";
import { buildApp } from "./app.ts";
import { CatalogueFile } from "./catalogue-file.ts";
import type { App, AppLimits, ServingDeps } from "./deps.ts";
import { endConnections } from "./drain.ts";
import { FleetReporter } from "./fleet-reporter.ts";
import { FollowedErasures } from "./followed-erasures.ts";
import { FollowedItems } from "./followed-items.ts";
import { Histories } from "./histories.ts";
import { Interleaving } from "./interleaving.ts";
import { LastLiveFile } from "./last-live.ts";
import { LiveModel } from "./live-model.ts";
import { metricsPage, servePage } from "./metrics-page.ts";
import type { ServedModel } from "./served-model.ts";
import { interleavingEvents, liveModelEvents } from "./serving-events.ts";
import { createMetrics } from "./serving-metrics.ts";
import { ShadowTap } from "./shadow-tap.ts";
import { trustedProxies } from "./trusted-proxies.ts";
import { Visitors } from "./visitors.ts";

type TokenSetting = "tokenKeys" | "tokenAlgorithm" | "tokenIssuer" | "tokenAudience";

export type ServerConfig = Pick<
  Config,
  "redisUrl" | "port" | "host" | "stateFolder" | "adminKey" | "logLevel"
> &
  Partial<Pick<Config, "policyFile" | "prefix" | "metricsPort" | "trustedProxies" | TokenSetting>>;

export interface ServerOptions {
  readonly config: ServerConfig;
  /** Every limit (default: the configured policy file). */
  readonly policy?: Policy | undefined;
  /** Share of requests copied to the shadow, 0 … 1 (default: the policy's). */
  readonly shadowRate?: number | undefined;
  readonly limits?: Partial<AppLimits> | undefined;
  readonly newRequestId?: (() => string) | undefined;
}

export interface RunningServer {
  readonly url: string;
  readonly app: App;
  readonly live: LiveModel;
  /** Lets open connections end for `drainMs`, then closes all that was opened. */
  close(drainMs?: number): Promise<void>;
}

/** Longest that closing waits for a Redis that does not answer, milliseconds. */
const CLOSE_TIMEOUT_MS = 1000;
const DRAIN_MS = 500;
/** Until the replicas agreed on their secret, which takes Redis. */
const AGREE_EVERY_MS = 2000;

/** Listens at once; a model is served as soon as one is live. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, limits, newRequestId } = options;
  const policy = options.policy ?? (await readPolicy(config.policyFile ?? null));
  const rules = await readEventRules(config.policyFile ?? null);
  const adminKey = await operatorKey(config);
  const proxies = trustedProxies(config.trustedProxies ?? null);
  const userTokens = await openUserTokens(config, Date.now, (error) =>
    app.log.warn({ err: error }, "keys of user tokens not read; the last known ones stay in use"),
  );
  const metrics = createMetrics();
  const open = (wait: RedisWait, use: string) =>
    connectRedis(config, wait, () => metrics.redisErrors.inc({ use }));
  const reads = open("fail-fast", "reads");
  const redis = open("bounded", "writes");
  const pointers = open("deliberate", "registry");
  const registry = redisRegistry(pointers, {
    automaticPerDay: policy.rollback.automaticPerDay,
    onWatchError: () => metrics.redisErrors.inc({ use: "watch" }),
  });
  const keys = redisKeyStore(pointers);
  const keyRing = new KeyRing({ store: keys, adminKey, file: join(config.stateFolder, "keys.json") });
  const secretFile = join(config.stateFolder, "installation-secret");
  const requestIds = new RequestIds(await rememberedSecret(secretFile));
  const openToVisitors = (): boolean => isLoopback(config.host) && keyRing.size === 0;
  const stores = openStores(config);
  const artifacts = artifactStore(stores.artifacts);
  const events = redisEventLog(redis);
  const producers = createProducers(config, () => metrics.redisErrors.inc({ use: "queues" }), policy.shadow);
  const catalogue = new CatalogueFile(stores.snapshot);
  const itemChanges = redisItemChanges(redis);
  const items = new FollowedItems(catalogue, itemChanges, () => metrics.redisErrors.inc({ use: "items" }));
  const histories = new Histories(redisEventLog(reads), {
    onError: () => metrics.redisErrors.inc({ use: "history" }),
  });
  const visitors = new Visitors();
  const erasures = new FollowedErasures(redis, [histories, visitors], () =>
    metrics.redisErrors.inc({ use: "erasures" }),
  );
  const shadow = new ShadowTap({
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
      .catch((cause) => app.log.error({ err: cause }, "automatic rollback failed; another version answers"));
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
        app.log.error({ err: error }, "catalogue not read; titles may be missing");
      }
    },
    events: liveModelEvents({ metrics, fleet, log: () => app.log, leave }),
  });
  const interleaving = new Interleaving({
    log: redisInterleavingLog(reads),
    load: (version) => live.tryOut(version),
    events: interleavingEvents({ metrics, log: () => app.log }),
  });
  const metricsPort = config.metricsPort ?? null;
  const deps: ServingDeps = {
    registry,
    artifacts,
    events,
    producers,
    decisions: redisDecisionLog(pointers),
    findings: redisFindings(pointers),
    looks: redisLooks(pointers),
    rules,
    catalogue: items,
    itemChanges,
    live,
    histories,
    visitors,
    shadow,
    interleaving,
    metrics,
    metricsApart: metricsPort !== null,
    redisUp: () => redis.status === "ready",
    surroundings: () => surroundings.latest,
    now: Date.now,
    keys,
    keyRing,
    requestIds,
    userTokens,
    openToVisitors,
  };
  const logger = { level: config.logLevel, stream: process.stderr };
  const app: App = await buildApp(deps, { limits, proxies, newRequestId, logger });
  const pages =
    metricsPort === null
      ? null
      : await servePage(metricsPage(deps), { port: metricsPort, host: config.host });
  const following = await followKeys(pointers, keyRing, () => metrics.redisErrors.inc({ use: "keys" }));
  const agreeing = setInterval(() => void agree(), AGREE_EVERY_MS).unref();
  const agree = async (): Promise<void> => {
    try {
      requestIds.use(await installationSecret(pointers, secretFile));
      clearInterval(agreeing);
    } catch {
      metrics.redisErrors.inc({ use: "keys" });
    }
  };
  await agree();
  const surroundings = watchSurroundings({
    installation: config,
    redis: pointers,
    hearts: workerHearts(pointers),
    onChange: (problems) => app.log.warn({ problems }, "what the service stands on"),
  });
  const url = await app.listen({
    port: config.port,
    host: config.host,
    listenTextResolver: () => "socket open",
  });
  if (openToVisitors()) app.log.warn(OPEN_TO_THIS_MACHINE);
  app.log.info({ url, ...(pages === null ? {} : { metricsPort: pages.port }) }, "listening");
  interleaving.start();
  items.start();
  erasures.start();
  const started = live.start().catch((error) => app.log.error({ err: error }, "live model not started"));

  return {
    url,
    app,
    live,
    async close(drainMs = 0) {
      app.draining.value = true;
      await pause(drainMs);
      await endConnections(app);
      await app.close();
      await pages?.close();
      await started;
      clearInterval(agreeing);
      items.close();
      erasures.close();
      histories.close();
      const closing = [
        following.close(),
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

/**
 * Serves until the process is told to stop, then ends without cutting a request off. Without Redis it serves what it last
 * served, where there is such a model.
 */
export async function serve(options: ServerOptions): Promise<RunningServer> {
  const lastLive = await lastLiveFile(options.config).read();
  await exitUnlessFit(options.config, { mayBeAway: lastLive !== null });
  const server = await startServer(options);
  closeWithGrace({ delay: 10_000, logger: false }, async ({ err, signal }) => {
    if (err) server.app.log.fatal({ err }, "stopping after an error");
    else server.app.log.info({ signal }, "stopping");
    await server.close(DRAIN_MS);
  });
  return server;
}

function lastLiveFile({ stateFolder }: ServerConfig): LastLiveFile {
  return new LastLiveFile(join(stateFolder, "last-live.json"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  stopWithParent();
  await serve({ config: loadConfig() });
}
