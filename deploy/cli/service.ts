import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { type Config, loadConfig } from "../../services/config.ts";
import type { Readiness } from "../../services/serving/routes/health.ts";
import { type ApiClient, apiClient, findAdminKey } from "../client/api-client.ts";
import { ownUrl } from "../client/own-url.ts";
import type { OutputOptions } from "../terminal/output.ts";

export interface ServiceOptions extends OutputOptions {
  readonly url?: string;
  readonly keyFile?: string;
}

/** Whoever types a verb is told within five seconds that nobody answers. */
export const PATIENCE_MS = 3_500;

export const KEY_FILE =
  "a file with the key, or - for standard input (default: PHASEWISE_ADMIN_KEY, else .phasewise/admin-key)";

/** Options of every verb that talks to a running service. */
export function withService(command: Command): Command {
  return command
    .option(
      "--url <url>",
      "where Phasewise listens, a prefix that a proxy takes off included (default: http://127.0.0.1:<PORT or 3000>)",
    )
    .option("--key-file <path>", KEY_FILE)
    .option("--json", "print JSON only");
}

export async function connect(options: ServiceOptions): Promise<ApiClient> {
  const config = loadConfig(process.env);
  const url = options.url ?? ownUrl(config);
  return apiClient(url, await keyFor(options.keyFile, config), { patienceMs: PATIENCE_MS });
}

/** The key of a command: in the file that was named, else the operator's own; null when there is none. */
export async function keyFor(
  keyFile: string | undefined,
  { adminKey, stateFolder }: Pick<Config, "adminKey" | "stateFolder">,
): Promise<string | null> {
  return findAdminKey(keyFile === undefined ? adminKey : await keyIn(keyFile), stateFolder);
}

/** A key is no argument of a command: everybody on the machine can read those. */
async function keyIn(path: string): Promise<string> {
  const content = path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  return content.trim();
}

/** Says on standard error what is wrong with what the service stands on: a training waits for good without a worker. */
export async function warnOfProblems(api: ApiClient): Promise<void> {
  const { problems } = await api.get<Readiness>("/status");
  for (const problem of problems) process.stderr.write(`phasewise: ${problem}\n`);
}
