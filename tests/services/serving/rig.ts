import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import supertest from "supertest";
import type { Params } from "../../../models/recipe.ts";
import { artifactStore } from "../../../services/artifacts/artifact-store.ts";
import { connectRedis } from "../../../services/redis.ts";
import { type RedisRegistry, redisRegistry } from "../../../services/registry/registry.ts";
import type { ServerConfig } from "../../../services/serving/open-deps.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../../services/serving/server.ts";
import { folderStore } from "../../../services/storage/folder-store.ts";
import { eventually } from "../../support/eventually.ts";
import { type PrivateRedis, startRedis } from "../../support/redis.ts";
import { CATALOGUE, fitSmall, manifestOf } from "./small-world.ts";

export const ADMIN_KEY = "a-key-for-tests-only";
export const BEARER = { authorization: `Bearer ${ADMIN_KEY}` };

/** The whole server over a private Redis, with small models that a test registers as it needs them. */
export interface Rig {
  readonly redis: PrivateRedis;
  readonly registry: RedisRegistry;
  readonly folder: string;
  readonly server: RunningServer;
  /** Fits, stores and registers a version; nothing is promoted. */
  register(recipe: string, params?: Params): Promise<string>;
  http(): supertest.Agent;
  stop(): Promise<void>;
}

export async function startRig(
  options: Partial<ServerOptions> & { readonly settings?: Partial<ServerConfig> } = {},
): Promise<Rig> {
  const redis = await startRedis();
  const folder = await mkdtemp(join(tmpdir(), "phasewise-serving-"));
  await mkdir(join(folder, "snapshot"));
  const rows = Array.from(CATALOGUE, ([itemId, info]) => ({ itemId, ...info }));
  await writeFile(join(folder, "snapshot", "catalogue.json"), JSON.stringify(rows));
  const client = connectRedis({ redisUrl: redis.url }, "patient", () => {});
  const registry = redisRegistry(client);
  const artifacts = artifactStore(folderStore(join(folder, "artifacts")));
  const server = await startServer({
    limits: { targetMs: 60_000, operatorRequestsPerMinute: 1_000_000 },
    ...options,
    config: {
      redisUrl: redis.url,
      port: 0,
      host: "127.0.0.1",
      stateFolder: folder,
      adminKey: ADMIN_KEY,
      logLevel: "silent",
      ...options.settings,
    },
  });
  const http = (): supertest.Agent => supertest.agent(server.url);
  await eventually(async () => (await http().get("/readyz")).body.redis === "up", "Redis connection");

  return {
    redis,
    registry,
    folder,
    server,
    http,
    async register(recipe, params = {}) {
      const model = await fitSmall(recipe, params);
      const stored = await artifacts.write(
        model,
        (file) => manifestOf(model, file),
        () => ({ "card.md": `# ${recipe}\n` }),
      );
      await registry.register(stored.manifest, stored.manifestSha256, "tests");
      return stored.manifest.version;
    },
    async stop() {
      await server.close();
      client.disconnect();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
