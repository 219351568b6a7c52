import type { Command } from "commander";
import { runProcess } from "../../processes/foreground.ts";
import { verbConfig } from "../verb-config.ts";

export function serveVerb(program: Command): void {
  program
    .command("serve")
    .description("run the API in the foreground")
    .option("--port <port>", "port to listen on (default 3000)")
    .option("--host <host>", "address to bind (default 127.0.0.1)")
    .action(({ port, host }: { port?: string; host?: string }) =>
      runProcess("services/serving/server.js", {
        REDIS_URL: verbConfig().redisUrl,
        ...(port === undefined ? {} : { PORT: port }),
        ...(host === undefined ? {} : { HOST: host }),
      }),
    );
}
