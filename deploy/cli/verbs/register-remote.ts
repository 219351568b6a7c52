import type { Command } from "commander";
import { registerRemote } from "../../../jobs/training/register-remote.ts";
import { type OutputOptions, print } from "../../terminal/output.ts";
import { wrapped } from "../../terminal/table.ts";
import { type RedisOptions, withRedis } from "../verb-config.ts";
import { withContext } from "../with-context.ts";

interface RegisterOptions extends OutputOptions, RedisOptions {
  readonly url: string;
}

export function registerRemoteVerb(program: Command): void {
  withRedis(program.command("register-remote <name>"))
    .description("make a ranker behind a URL a challenger: it is shadowed and judged, and never served")
    .requiredOption("--url <url>", "answers POST {history, k, exclude} with {items}; allowed by the policy")
    .option("--json", "print JSON only")
    .action(async (name: string, options: RegisterOptions) => {
      await withContext(options, async (context) => {
        const registered = await registerRemote(context, { name, url: options.url });
        const { version, record, tried } = registered;
        print(registered, options, () =>
          [
            `${version}: answered with ${tried.length} items`,
            wrapped(`${record.state}: ${record.reason}`),
          ].join("\n"),
        );
      });
    });
}
