import type { Command } from "commander";
import { loadConfig } from "../../services/config.ts";
import { type ApiClient, apiClient, findAdminKey } from "../client/api-client.ts";
import type { OutputOptions } from "../terminal/output.ts";

export interface ServiceOptions extends OutputOptions {
  readonly url?: string;
  readonly key?: string;
}

/** Options of every verb that talks to a running service. */
export function withService(command: Command): Command {
  return command
    .option("--url <url>", "where Phasewise listens (default: http://127.0.0.1:<PORT or 3000>)")
    .option("--key <key>", "operator key (default: PHASEWISE_ADMIN_KEY, else the one in .phasewise/)")
    .option("--json", "print JSON only");
}

export async function connect(options: ServiceOptions): Promise<ApiClient> {
  const config = loadConfig(process.env);
  const url = options.url ?? `http://127.0.0.1:${config.port}`;
  return apiClient(url, await findAdminKey(options.key ?? config.adminKey, config.stateFolder));
}
