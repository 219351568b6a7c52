/** `npm run -s phasewise -- VERB …`: builds when needed, says nothing of its own on stdout, passes the exit code on. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare } from "./prepare.mjs";
import { ROOT } from "./shell.mjs";

prepare();
const cli = spawn(
  process.execPath,
  [join(ROOT, "dist", "deploy", "cli", "main.js"), ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
// The terminal sends Ctrl-C to both of us; only its answer counts.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => cli.kill("SIGTERM"));
cli.once("exit", (status, signal) => process.exit(status ?? (signal === "SIGINT" ? 130 : 1)));
