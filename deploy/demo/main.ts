import { Command, Option } from "commander";
import { CODE } from "../../services/code-version.ts";
import { withModeOptions, withReadingOptions } from "../data/reading-options.ts";
import { days, share, wholeNumber } from "../terminal/arguments.ts";
import { runCommand } from "../terminal/run-command.ts";
import { start } from "./start.ts";

const demo = withModeOptions(withReadingOptions(new Command("phasewise start")))
  .description("the whole ladder on one machine: import, train, replay, judge, serve")
  .version(CODE.version, "--version", "print the version")
  .showHelpAfterError("(phasewise start --help lists the flags)")
  .exitOverride()
  .allowExcessArguments(false)
  .option(
    "--data <path>",
    "folder or file of interactions (default: PHASEWISE_DATA, a download, or synthetic)",
  )
  .option("--port <port>", "port of the API, 0 for any free one (default 3000)")
  .option("--cut <share>", "share of the events that trains; the rest is replayed", share, 0.6)
  .option("--no-replay", "stop after training")
  .option("--speed <n>", "events a second in the replay; 0 for as fast as it goes", wholeNumber, 0)
  .option("--a-a", "A/A test of the gate: the only challenger is the live model once more")
  .addOption(
    new Option(
      "--plant-harm",
      "test of the watch: no challengers, but a harmful version is forced live before the replay",
    ).conflicts("aA"),
  )
  .option("--list-driven", "replay users who choose from the lists they were shown")
  .option(
    "--retrain-every <days>",
    "retrain the live recipe so often in the time of the events, e.g. 180d",
    days,
  )
  .option("--details", "also the whole sentence of each verdict, and all figures")
  .option("--exit", "end after the ladder table instead of serving on")
  .action(start);

await runCommand(demo);
// Everything that was started has been stopped: whatever still waits would wait for good.
process.exit();
