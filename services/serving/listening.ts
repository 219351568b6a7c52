import { once } from "node:events";
import { createServer } from "node:net";
import type { Config } from "../config.ts";
import { PhasewiseError } from "../errors.ts";

type Place = Pick<Config, "host" | "port">;

/** Why an address cannot be listened on, with the remedy; any other error as it is. */
export function listenError(error: unknown, { host, port }: Place): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE: `got one that another program listens on, maybe another Phasewise; stop it, or set PORT (0 for any free one)`,
    EADDRNOTAVAIL: "got an address that this machine does not have; set HOST to one of its own",
    ENOTFOUND: "got a name that nobody knows; set HOST to an address of this machine",
    EACCES: "got one that only root may take; set PORT above 1023",
  };
  const remedy = remedies[String(code)];
  if (remedy === undefined) return error;
  return new PhasewiseError(
    "INVALID_CONFIGURATION",
    `port ${port} of ${host}: expected a free one, ${remedy}`,
    { host, port },
    error,
  );
}

/** @throws INVALID_CONFIGURATION where somebody listens already: whoever asked there would talk to the other one */
export async function requireFreePort(place: Place): Promise<void> {
  const server = createServer();
  try {
    server.listen(place.port, place.host);
    await once(server, "listening");
  } catch (error) {
    throw listenError(error, place);
  }
  server.close();
  await once(server, "close");
}
