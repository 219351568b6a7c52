import type { Command } from "commander";
import { runProcess } from "../../processes/foreground.ts";
import { verbConfig } from "../verb-config.ts";

export function workVerb(program: Command): void {
  program
    .command("work")
    .description("run a worker in the foreground: training, shadow scoring, upkeep")
    .action(() => runProcess("jobs/worker.js", { REDIS_URL: verbConfig().redisUrl }));
}
