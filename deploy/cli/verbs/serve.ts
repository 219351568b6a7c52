import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";

/** Runs one of the service's own processes in the foreground and takes over its exit code. */
export async function runProcess(
  entry: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const file = fileURLToPath(new URL(`../../../${entry}`, import.meta.url));
  const child = spawn(process.execPath, [file], {
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
}

export function serveVerb(program: Command): void {
  program
    .command("serve")
    .description("run the API in the foreground")
    .option("--port <port>", "port to listen on (default 3000)")
    .option("--host <host>", "address to bind (default 127.0.0.1)")
    .action(({ port, host }: { port?: string; host?: string }) =>
      runProcess("services/serving/server.js", {
        ...(port === undefined ? {} : { PORT: port }),
        ...(host === undefined ? {} : { HOST: host }),
      }),
    );
}
