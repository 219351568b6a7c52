import { isIPv4 } from "node:net";
import { adminKey, type Config, keptAdminKey } from "../config.ts";
import { PhasewiseError } from "../errors.ts";

/** Whether only this machine can reach an address that a server listens on. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/**
 * The operator's key. On loopback one is made at the first start; where others can connect, one must be there already:
 * a key that nobody knows of yet protects nothing that could be used.
 * @throws INVALID_CONFIGURATION with the line to run
 */
export async function operatorKey({
  host,
  adminKey: given,
  stateFolder,
}: Pick<Config, "host" | "adminKey" | "stateFolder">): Promise<string> {
  const known = given ?? (await keptAdminKey(stateFolder));
  if (known !== null) return known;
  if (isLoopback(host)) return adminKey(stateFolder);
  throw new PhasewiseError(
    "INVALID_CONFIGURATION",
    `HOST ${host}: expected a key before others can connect, got none; run "phasewise keys init", which makes one in ${stateFolder}/admin-key, and start again (or set PHASEWISE_ADMIN_KEY)`,
    { setting: "host", variable: "HOST" },
  );
}

export const OPEN_TO_THIS_MACHINE =
  "open to this machine: callers without a key are answered from what they sent themselves, which counts for nothing else; the first key made (phasewise keys create) ends this";
