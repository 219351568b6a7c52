import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Static, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { PhasewiseError } from "./errors.ts";

/** Each setting's description doubles as what an error message says was expected. */
const SETTINGS = Type.Object({
  redisUrl: Type.String({
    pattern: "^rediss?://[^\\s]+$",
    description:
      "a URL such as redis://127.0.0.1:6379, with # / ? @ : and % of a password written as %23 %2F %3F %40 %3A and %25",
  }),
  prefix: Type.String({
    pattern: "^[A-Za-z0-9._-]{1,40}$",
    description: "1 to 40 letters, digits, dots, dashes or underscores, such as shop",
  }),
  port: Type.Integer({ minimum: 0, maximum: 65535, description: "a port from 0 to 65535" }),
  host: Type.String({ minLength: 1, description: "an address to listen on, such as 127.0.0.1" }),
  metricsPort: Type.Union([Type.Integer({ minimum: 0, maximum: 65535 }), Type.Null()], {
    description: "a port from 0 to 65535",
  }),
  trustedProxies: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
    description: "addresses or CIDR ranges separated by commas, such as 10.0.0.0/8",
  }),
  tokenKeys: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
    description: "a file of secrets or of a JWKS, or the URL of a JWKS",
  }),
  tokenAlgorithm: Type.Union(
    [
      Type.Literal("HS256"),
      Type.Literal("RS256"),
      Type.Literal("PS256"),
      Type.Literal("ES256"),
      Type.Literal("EdDSA"),
      Type.Null(),
    ],
    { description: "one of HS256, RS256, PS256, ES256, EdDSA" },
  ),
  tokenIssuer: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
    description: "who signs user tokens, such as https://shop.example",
  }),
  tokenAudience: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
    description: "for whom user tokens are, such as phasewise",
  }),
  dataFolder: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
    description: "a folder with a data set",
  }),
  stateFolder: Type.String({ minLength: 1, description: "a folder for keys, models and snapshots" }),
  adminKey: Type.Union([Type.String({ minLength: 8 }), Type.Null()], {
    description: "a secret of at least 8 characters",
  }),
  logLevel: Type.Union(
    [
      Type.Literal("fatal"),
      Type.Literal("error"),
      Type.Literal("warn"),
      Type.Literal("info"),
      Type.Literal("debug"),
      Type.Literal("trace"),
      Type.Literal("silent"),
    ],
    { description: "one of fatal, error, warn, info, debug, trace, silent" },
  ),
  policyFile: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
    description: "the path of a policy file",
  }),
  workerConcurrency: Type.Integer({ minimum: 1, maximum: 64, description: "a number of jobs from 1 to 64" }),
  threads: Type.Integer({ minimum: 1, maximum: 256, description: "a number of threads from 1 to 256" }),
});

export type Config = Readonly<Static<typeof SETTINGS>>;

/** Where an installation keeps its state: a server, what every key, queue and channel there begins with, and its home. */
export type Installation = Pick<Config, "redisUrl"> & Partial<Pick<Config, "prefix" | "stateFolder">>;

export const DEFAULT_PREFIX = "phasewise";
type Setting = keyof Config;

const VARIABLES: Readonly<Record<Setting, string>> = {
  redisUrl: "REDIS_URL",
  prefix: "PHASEWISE_PREFIX",
  port: "PORT",
  host: "HOST",
  metricsPort: "PHASEWISE_METRICS_PORT",
  trustedProxies: "PHASEWISE_TRUSTED_PROXIES",
  tokenKeys: "PHASEWISE_TOKEN_KEYS",
  tokenAlgorithm: "PHASEWISE_TOKEN_ALGORITHM",
  tokenIssuer: "PHASEWISE_TOKEN_ISSUER",
  tokenAudience: "PHASEWISE_TOKEN_AUDIENCE",
  dataFolder: "PHASEWISE_DATA",
  stateFolder: "PHASEWISE_HOME",
  adminKey: "PHASEWISE_ADMIN_KEY",
  logLevel: "PHASEWISE_LOG_LEVEL",
  policyFile: "PHASEWISE_POLICY",
  workerConcurrency: "PHASEWISE_WORKER_CONCURRENCY",
  threads: "PHASEWISE_THREADS",
};

const POLICY_FILE = "phasewise.policy.json";

function defaults(): Config {
  return {
    redisUrl: "redis://127.0.0.1:6379",
    prefix: DEFAULT_PREFIX,
    port: 3000,
    host: "127.0.0.1",
    metricsPort: null,
    trustedProxies: null,
    tokenKeys: null,
    tokenAlgorithm: null,
    tokenIssuer: null,
    tokenAudience: null,
    dataFolder: null,
    stateFolder: ".phasewise",
    adminKey: null,
    logLevel: "info",
    policyFile: existsSync(POLICY_FILE) ? POLICY_FILE : null,
    workerConcurrency: 2,
    threads: availableParallelism(),
  };
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type ConfigFlags = { readonly [S in Setting]?: Config[S] | string | undefined };

/**
 * The whole configuration, parsed once and frozen: a flag wins over the environment, which wins over the
 * default. An empty variable counts as absent. The only reader of the process environment.
 * @throws INVALID_CONFIGURATION naming the setting, what was expected, what was got and where to set it
 */
export function loadConfig(env: Environment = process.env, flags: ConfigFlags = {}): Config {
  const settings: Record<string, unknown> = { ...defaults() };
  for (const setting of Object.keys(VARIABLES) as Setting[]) {
    const variable = VARIABLES[setting];
    const given = flags[setting] ?? (env[variable] || undefined);
    if (given === undefined) continue;
    const schema: TSchema = SETTINGS.properties[setting];
    const value = typeof given === "string" && takesInteger(schema) ? integerOf(given) : given;
    if (!Value.Check(schema, value) || (setting === "redisUrl" && !isRedisUrl(String(value))))
      throw refusal(setting, variable, schema, given);
    settings[setting] = value;
  }
  return Object.freeze(Value.Parse(SETTINGS, settings));
}

const PARENT_VARIABLE = "PHASEWISE_PARENT_PID";

/** For child processes: this one's, and who it is. A child whose parent died before it looked is an orphan too. */
export function environmentOfChild(env: Environment = process.env): Environment {
  return { ...env, [PARENT_VARIABLE]: String(process.pid) };
}

/** The process that started this one. */
export function parentOf(env: Environment = process.env): number {
  return Number(env[PARENT_VARIABLE] ?? process.ppid);
}

/** A password whose "#", "/" or "%" is not encoded makes a URL that names another host, or none. */
function isRedisUrl(url: string): boolean {
  try {
    const { hostname, hash, search, username, password, pathname } = new URL(url);
    decodeURIComponent(username + password);
    return hostname !== "" && hash === "" && !pathname.includes("@") && !search.includes("@");
  } catch {
    return false;
  }
}

function takesInteger(schema: TSchema): boolean {
  return Type.IsInteger(schema) || (Type.IsUnion(schema) && schema.anyOf.some((one) => Type.IsInteger(one)));
}

function integerOf(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

function refusal(setting: Setting, variable: string, schema: TSchema, given: unknown): PhasewiseError {
  const { description } = schema as { description?: string };
  // A URL of Redis may hold a password.
  const secret = setting === "adminKey" || (setting === "redisUrl" && String(given).includes("@"));
  const got = secret ? "one that is not (not shown)" : JSON.stringify(given);
  return new PhasewiseError(
    "INVALID_CONFIGURATION",
    `${setting}: expected ${description}, got ${got}; correct ${variable} or unset it for the default`,
    { setting, variable },
  );
}

/** Operator key of this installation: made at the first start, kept readable by its owner only, reused later. */
export async function adminKey(stateFolder: string): Promise<string> {
  const file = adminKeyFile(stateFolder);
  const kept = await keyIn(file);
  if (kept !== null) return kept;
  await mkdir(stateFolder, { recursive: true });
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  try {
    // link never replaces: of several first starts at once exactly one key wins, and it is whole.
    await link(temporary, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await unlink(temporary);
  }
  const made = await keyIn(file);
  if (made !== null) return made;
  throw new PhasewiseError("INVALID_CONFIGURATION", `admin key: expected a key in ${file}, got none`);
}

/** The same, if there is one already. */
export function keptAdminKey(stateFolder: string): Promise<string | null> {
  return keyIn(adminKeyFile(stateFolder));
}

function adminKeyFile(stateFolder: string): string {
  return join(stateFolder, "admin-key");
}

async function keyIn(file: string): Promise<string | null> {
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  if (text.length >= 8) return text;
  throw new PhasewiseError(
    "INVALID_CONFIGURATION",
    `admin key: expected at least 8 characters in ${file}, got ${text.length}; delete the file to have a new one made`,
  );
}
