import type { Command } from "commander";
import { judge } from "../../../jobs/judging/judge.ts";
import type { Judgement } from "../../../services/shadow/looks.ts";
import { EXIT, type OutputOptions, print } from "../../terminal/output.ts";
import { wrapped } from "../../terminal/table.ts";
import { type RedisOptions, withRedis } from "../verb-config.ts";
import { withContext } from "../with-context.ts";

interface ShadowOptions extends OutputOptions, RedisOptions {
  readonly record?: boolean;
}

export function shadowVerb(program: Command): void {
  withRedis(program.command("shadow"))
    .description("look at every running shadow comparison now; passes and rejections take effect")
    .option("--record", "write a decision also for those that are merely held")
    .option("--json", "print JSON only")
    .action(async (options: ShadowOptions) => {
      await withContext(options, async (context) => {
        const judgements = await judge(context, { kind: "judge", record: options.record === true });
        const settled = ({ about, verdict }: Judgement) =>
          verdict === "pass" || (about === "watch" && verdict === "hold");
        if (!judgements.every(settled)) process.exitCode = EXIT.held;
        print(judgements, options, () => describe(judgements));
      });
    });
}

function describe(judgements: readonly Judgement[]): string {
  if (judgements.length === 0) return "no shadow comparison is running; train a challenger first";
  return judgements
    .map(({ about, challenger, baseline, users, overlap, sentence }) => {
      const shared = overlap === undefined ? "" : `, ${Math.round(100 * overlap)} % of the lists shared`;
      return [
        `${challenger}  ${about}, ${users} users${shared}`,
        wrapped(`against ${baseline}`, { indent: "  " }),
        wrapped(sentence, { indent: "  " }),
      ].join("\n");
    })
    .join("\n");
}
