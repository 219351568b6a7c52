#!/usr/bin/env node
import { Command } from "commander";
import { CODE } from "../../services/code-version.ts";
import { runCommand } from "../terminal/run-command.ts";
import { VERBS } from "./verbs.ts";

const program = new Command("phasewise")
  .description("A recommendation service that climbs the model ladder only when the evidence pays for it.")
  .version(CODE.version, "--version", "print the version")
  .showHelpAfterError("(phasewise --help lists the verbs)")
  .addHelpText(
    "after",
    "\nExit codes: 0 done · 1 failed · 2 wrong usage · 3 conflict (someone else promoted, or other data is there) · 4 held or rejected · 5 service unreachable",
  )
  .exitOverride();
for (const addVerb of VERBS) addVerb(program);

await runCommand(program);
