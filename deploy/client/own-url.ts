import { isIPv6 } from "node:net";
import type { Config } from "../../services/config.ts";

/** Where the API of this configuration answers a program on its own machine. */
export function ownUrl({ host, port }: Pick<Config, "host" | "port">): string {
  const everywhere = host === "0.0.0.0" || host === "::";
  const name = everywhere ? "127.0.0.1" : isIPv6(host) ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
