import { realpathSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import closeWithGrace from "close-with-grace";
import { pino } from "pino";
import { loadConfig } from "../config.ts";
import { stopWithParent } from "../end-with-parent.ts";
import { PhasewiseError } from "../errors.ts";
import { exitUnlessFit } from "../health/require-redis.ts";
import { OPEN_TO_THIS_MACHINE } from "../keys/exposure.ts";
import { buildApp } from "./app.ts";
import type { App, AppLimits } from "./deps.ts";
import { endConnections } from "./drain.ts";
import { listenError } from "./listening.ts";
import type { LiveModel } from "./live-model.ts";
import { metricsPage, servePage } from "./metrics-page.ts";
import { type DepsOptions, lastLiveFile, openDeps } from "./open-deps.ts";
import { trustedProxies } from "./trusted-proxies.ts";

export interface ServerOptions extends DepsOptions {
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

const DRAIN_MS = 500;

/** Listens at once; a model is served as soon as one is live. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, limits, newRequestId } = options;
  const proxies = trustedProxies(config.trustedProxies ?? null);
  const log = pino({ level: config.logLevel }, process.stderr);
  const opened = await openDeps(options, log);
  const { deps } = opened;
  const app = await buildApp(deps, { limits, proxies, newRequestId, log });
  const metricsPort = config.metricsPort ?? null;
  const pages =
    metricsPort === null
      ? null
      : await servePage(metricsPage(deps), { port: metricsPort, host: config.host });
  await opened.follow();
  const listening = app.listen({
    port: config.port,
    host: config.host,
    listenTextResolver: () => "socket open",
  });
  const url = await listening.catch((error) => {
    throw listenError(error, config);
  });
  if (deps.openToVisitors()) log.warn(OPEN_TO_THIS_MACHINE);
  log.info({ url, ...(pages === null ? {} : { metricsPort: pages.port }) }, "listening");
  opened.start();

  return {
    url,
    app,
    live: deps.live,
    async close(drainMs = 0) {
      app.draining.value = true;
      await pause(drainMs);
      await endConnections(app);
      await app.close();
      await pages?.close();
      await opened.close();
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

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  stopWithParent();
  await serve({ config: loadConfig() }).catch((error) => {
    if (!(error instanceof PhasewiseError)) throw error;
    process.stderr.write(`phasewise: ${error.message}\n`);
    process.exit(1);
  });
}
