import type { Command } from "commander";
import { userData } from "../../../jobs/upkeep/user-data.ts";
import { type RedisOptions, withRedis } from "../verb-config.ts";
import { withContext } from "../with-context.ts";

export function exportUserVerb(program: Command): void {
  withRedis(program.command("export-user <user>"))
    .description(
      "everything that is known of a user, as JSON: history, events in the stream and in the snapshot, rows of evidence",
    )
    .action(async (user: string, options: RedisOptions) => {
      await withContext(options, async (context) => {
        process.stdout.write(`${JSON.stringify(await userData(context, user), null, 2)}\n`);
      });
    });
}
