import type { Command } from "commander";
import type { Ladder, LadderVersion } from "../../../services/serving/routes/ladder.ts";
import { wholeNumber } from "../../terminal/arguments.ts";
import { EXIT, print } from "../../terminal/output.ts";
import { progressLine } from "../../terminal/progress.ts";
import { wrapped } from "../../terminal/table.ts";
import { verdictOf } from "../../terminal/verdict-words.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface JudgeOptions extends ServiceOptions {
  readonly exitCode?: boolean;
  readonly wait: number;
}

const PASSED: ReadonlySet<LadderVersion["state"]> = new Set(["ELIGIBLE", "CANARY", "LIVE", "PREVIOUS"]);
const LOST: ReadonlySet<LadderVersion["state"]> = new Set(["REJECTED", "QUARANTINED"]);
const POLL_MS = 2000;

/** For a pipeline: what the gate says of a version, as an exit code. */
export function judgeVerb(program: Command): void {
  const command = program
    .command("judge <version>")
    .description("where the gate stands on a version; --exit-code says it to a pipeline")
    .option(
      "--exit-code",
      "exit with 0 when it is eligible or promoted, 4 when it was rejected, 6 while it is held",
    )
    .option("--wait <minutes>", "wait so long for a verdict while it is held", wholeNumber, 0);
  withService(command).action(async (version: string, options: JudgeOptions) => {
    const api = await connect(options);
    const line = progressLine();
    const until = performance.now() + options.wait * 60_000;
    let found = await look();
    while (codeOf(found) === EXIT.open && performance.now() < until) {
      line.update(verdictOf(found));
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      found = await look();
    }
    if (options.exitCode === true) process.exitCode = codeOf(found);
    const { state, lastDecision, lastLook } = found;
    const sentence = verdictOf(found);
    print({ version, state, sentence, lastDecision, lastLook }, options, () =>
      wrapped(`${version} (${state}): ${sentence}`, { hanging: "  " }),
    );

    async function look(): Promise<LadderVersion> {
      const { phases } = await api.get<Ladder>("/ladder");
      const record = phases.flatMap(({ versions }) => versions).find((one) => one.version === version);
      if (record !== undefined) return record;
      // Says that there is no such version, as everywhere.
      await api.get(`/models/${encodeURIComponent(version)}`);
      throw new Error(`judge: expected ${version} on the ladder, got a version that is on no rung`);
    }
  });
}

/** What an operator retired was not judged, and what is stale is to be judged again: both are open. */
function codeOf({ state }: LadderVersion): number {
  if (PASSED.has(state)) return EXIT.ok;
  return LOST.has(state) ? EXIT.held : EXIT.open;
}
