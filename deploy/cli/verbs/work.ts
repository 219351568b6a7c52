import type { Command } from "commander";
import { runProcess } from "../../processes/foreground.ts";

export function workVerb(program: Command): void {
  program
    .command("work")
    .description("run a worker in the foreground: training, shadow scoring, upkeep")
    .action(() => runProcess("jobs/worker.js"));
}
