import type { Command } from "commander";
import { userData } from "../../../jobs/upkeep/user-data.ts";
import { withContext } from "../with-context.ts";

export function exportUserVerb(program: Command): void {
  program
    .command("export-user <user>")
    .description(
      "everything that is known of a user, as JSON: history, events in the stream and in the snapshot",
    )
    .action(async (user: string) => {
      await withContext(async (context) => {
        process.stdout.write(`${JSON.stringify(await userData(context, user), null, 2)}\n`);
      });
    });
}
