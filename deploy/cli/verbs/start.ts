import type { Command } from "commander";
import { runProcess } from "../../processes/foreground.ts";

/** The demo is a program of its own: it reads its flags by itself. */
export function startVerb(program: Command): void {
  program
    .command("start")
    .description("the whole ladder on one machine: import, train, replay, judge, serve")
    .argument("[flags...]", "phasewise start --help lists them")
    .allowUnknownOption()
    .helpOption(false)
    .action((flags: readonly string[]) => runProcess("deploy/demo/main.js", {}, flags));
}
