import type { Command } from "commander";
import { compact } from "../../../jobs/upkeep/compact.ts";
import { type OutputOptions, print } from "../../terminal/output.ts";
import { type RedisOptions, withRedis } from "../verb-config.ts";
import { withContext } from "../with-context.ts";

export function compactVerb(program: Command): void {
  withRedis(program.command("compact"))
    .description("fold the event stream into the snapshot now")
    .option("--json", "print JSON only")
    .action(async (options: OutputOptions & RedisOptions) => {
      await withContext(options, async (context) => {
        const done = await compact(context);
        print(done, options, () =>
          done.events === 0
            ? "nothing to do: the stream is empty"
            : `${done.events} events moved into snapshot ${done.snapshotSha256?.slice(0, 12)}`,
        );
      });
    });
}
