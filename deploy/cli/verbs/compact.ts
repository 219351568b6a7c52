import type { Command } from "commander";
import { openContext } from "../../../jobs/context.ts";
import { compact } from "../../../jobs/upkeep/compact.ts";
import { type OutputOptions, print } from "../../terminal/output.ts";

export function compactVerb(program: Command): void {
  program
    .command("compact")
    .description("fold the event stream into the snapshot now")
    .option("--json", "print JSON only")
    .action(async (options: OutputOptions) => {
      const context = await openContext();
      try {
        const done = await compact(context);
        print(done, options, () =>
          done.events === 0
            ? "nothing to do: the stream is empty"
            : `${done.events} events moved into snapshot ${done.snapshotSha256?.slice(0, 12)}`,
        );
      } finally {
        await context.close();
      }
    });
}
