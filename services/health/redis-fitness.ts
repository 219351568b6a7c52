import type { Redis } from "ioredis";
import type { Installation } from "../config.ts";
import { luaScript } from "../lua-script.ts";
import { channelOf, queuePrefixOf } from "../redis.ts";
import { strangeHome } from "./installation-id.ts";

/** One thing that is wrong with a Redis, in words and with the remedy. */
export interface Unfitness {
  /** Nothing is begun on such a Redis: it would lose what it acknowledged, or refuse what is needed. */
  readonly grave: boolean;
  readonly words: string;
}

/** Scripts declare flags, which older servers do not know. */
const LOWEST_MAJOR = 7;

/** What the service, its scripts and its queues do on keys of their own. */
const ON_KEYS = [
  ...["get", "set", "del", "exists", "expire", "hget", "hset", "hgetall", "hincrby", "lrange", "rpush"],
  ...["sadd", "smembers", "zadd", "zrange", "xadd", "xrange", "xtrim", "bzpopmin"],
];
const ON_CHANNELS = ["publish", "subscribe"];

/**
 * ARGV  1 a key of the service   2 a key of its queues   3 its channel   4 number of commands on channels, which come
 *       first; then those on keys
 * RETURNS the first command that this user may not run there, empty when all are allowed. Runs none of them.
 */
const FORBIDDEN_LUA = `#!lua flags=no-writes
for at = 5, #ARGV do
  local names = {ARGV[1], ARGV[2]}
  if at < 5 + tonumber(ARGV[4]) then names = {ARGV[3]} end
  for _, name in ipairs(names) do
    if not redis.acl_check_cmd(ARGV[at], name, '1', '1', '1') then return ARGV[at] .. ' on ' .. name end
  end
end
return ''`;

/** What is wrong with this Redis; empty when it is fit. Rejects when it does not answer. */
export async function unfitnessOf(redis: Redis, installation: Installation): Promise<readonly Unfitness[]> {
  let facts: Facts;
  try {
    facts = factsIn(await redis.info());
  } catch (error) {
    return [refusalOf("INFO", error)];
  }
  if (facts.get("loading") === "1") throw new Error("LOADING: it still reads its data");
  const old = versionOf(facts);
  const permissions = old.length > 0 ? [] : await permissionsOf(redis, installation);
  const found = [...old, ...roleOf(facts), ...permissions, ...evictionOf(facts), ...persistenceOf(facts)];
  if (found.some((one) => one.grave)) return found;
  const strange = await strangeHome(redis, installation);
  return strange === null ? found : [grave(strange), ...found];
}

type Facts = ReadonlyMap<string, string>;

function factsIn(info: string): Facts {
  const lines = info.split("\r\n").filter((line) => line.includes(":"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

function versionOf(facts: Facts): Unfitness[] {
  const version = facts.get("redis_version") ?? "unknown";
  if (Number.parseInt(version, 10) >= LOWEST_MAJOR) return [];
  return [grave(`expected version ${LOWEST_MAJOR} or later, got ${version}; upgrade it`)];
}

function roleOf(facts: Facts): Unfitness[] {
  const role = facts.get("role");
  if (role === "master") return [];
  const of = `${facts.get("master_host") ?? "?"}:${facts.get("master_port") ?? "?"}`;
  return [grave(`expected one that takes writes, got a read-only replica of ${of}; set REDIS_URL to that`)];
}

function evictionOf(facts: Facts): Unfitness[] {
  const policy = facts.get("maxmemory_policy");
  if (policy === undefined || policy === "noeviction") return [];
  const remedy = "run CONFIG SET maxmemory-policy noeviction, and set it in its configuration";
  return [
    grave(`expected maxmemory-policy noeviction, got ${policy}, which drops what is needed; ${remedy}`),
  ];
}

function persistenceOf(facts: Facts): Unfitness[] {
  if (facts.get("aof_enabled") !== "1") {
    const remedy = "run CONFIG SET appendonly yes, and set it in its configuration";
    return [light(`expected an append-only file, got none: a crash loses acknowledged feedback; ${remedy}`)];
  }
  const failed = facts.get("aof_last_write_status") === "err";
  return failed ? [light("its append-only file cannot be written; make room on its disk")] : [];
}

async function permissionsOf(redis: Redis, installation: Installation): Promise<Unfitness[]> {
  const key = `${redis.options.keyPrefix ?? ""}registry:live`;
  const queueKey = `${queuePrefixOf(installation)}:phasewise-training:meta`;
  const channel = channelOf(redis, "registry:live-changed");
  const args = [key, queueKey, channel, ON_CHANNELS.length, ...ON_CHANNELS, ...ON_KEYS];
  try {
    const forbidden = String(await luaScript(redis, FORBIDDEN_LUA)([], args));
    return forbidden === "" ? [] : [notAllowed(forbidden)];
  } catch (error) {
    return [refusalOf("EVAL and EVALSHA", error)];
  }
}

/** A command that Redis refuses to this user. @throws anything else: then nobody knows what is wrong with it */
function refusalOf(command: string, error: unknown): Unfitness {
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith("NOPERM")) return notAllowed(command);
  if (/^(NOAUTH|WRONGPASS)/.test(message)) {
    return grave(
      "it asks for another user or password; put them into REDIS_URL (redis://user:password@host)",
    );
  }
  throw error;
}

function notAllowed(command: string): Unfitness {
  return grave(`its user may not run ${command}; allow it with ACL SETUSER`);
}

const grave = (words: string): Unfitness => ({ grave: true, words });
const light = (words: string): Unfitness => ({ grave: false, words });
