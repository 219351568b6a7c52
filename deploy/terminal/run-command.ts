import { type Command, CommanderError } from "commander";
import { PhasewiseError } from "../../services/errors.ts";
import { ApiError, Unreachable } from "../client/api-client.ts";
import { EXIT } from "./output.ts";

/** Runs a command with the words of this process; an error becomes a message on standard error and an exit code. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.parseAsync();
  } catch (error) {
    process.exitCode = report(error);
    // What still waits for it would wait for good.
    if (process.exitCode === EXIT.unreachable) process.exit();
  }
}

function report(error: unknown): number {
  // Commander has already written its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const json = process.argv.includes("--json");
  const message = error instanceof Error ? error.message : String(error);
  const code =
    error instanceof PhasewiseError ? error.code : error instanceof ApiError ? error.status : undefined;
  process.stderr.write(
    json ? `${JSON.stringify({ error: { message, code } })}\n` : `phasewise: ${message}\n`,
  );
  if (!json && !(error instanceof PhasewiseError) && !(error instanceof ApiError) && error instanceof Error) {
    process.stderr.write(`${error.stack?.split("\n").slice(1, 6).join("\n") ?? ""}\n`);
  }
  if (error instanceof ApiError) {
    if (error instanceof Unreachable) return EXIT.unreachable;
    return error.status === 409 ? EXIT.conflict : EXIT.failed;
  }
  if (error instanceof PhasewiseError && error.code === "STORE_UNAVAILABLE") return EXIT.unreachable;
  return error instanceof PhasewiseError && error.code === "CONFLICT" ? EXIT.conflict : EXIT.failed;
}
