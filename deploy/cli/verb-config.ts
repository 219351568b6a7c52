import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type Config, type ConfigFlags, loadConfig } from "../../services/config.ts";

/** Options of every verb that works on Redis itself, beside the service. */
export interface RedisOptions {
  readonly redis?: string;
}

export function withRedis(command: Command): Command {
  return command.option(
    "--redis <url>",
    "the Redis of the service (default: REDIS_URL, else the one that npm start began in this home, else redis://127.0.0.1:6379)",
  );
}

/** The configuration of a verb. Where nobody names a Redis, it is the one that `npm start` began for this home and that still runs. */
export function verbConfig(flags: ConfigFlags = {}): Config {
  const config = loadConfig(process.env, flags);
  if (flags.redisUrl !== undefined || process.env.REDIS_URL) return config;
  const began = begunRedis(config.stateFolder);
  return began === null ? config : loadConfig(process.env, { ...flags, redisUrl: began });
}

/** deploy/local/redis.mjs leaves where it listens while it runs. */
function begunRedis(stateFolder: string): string | null {
  try {
    const text = readFileSync(join(stateFolder, "redis", "server.json"), "utf8");
    const { pid, port } = JSON.parse(text) as { readonly pid: unknown; readonly port: unknown };
    if (!Number.isInteger(pid) || !Number.isInteger(port)) return null;
    process.kill(Number(pid), 0);
    return `redis://127.0.0.1:${port}`;
  } catch {
    return null;
  }
}
