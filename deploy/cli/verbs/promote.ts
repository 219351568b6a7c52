import type { Command } from "commander";
import type { CanaryResult, LivePointer } from "../../../services/registry/types.ts";
import type { Promoted } from "../../../services/serving/routes/promotion.ts";
import { shareFromZero, wholeNumber } from "../../terminal/arguments.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

interface PromoteOptions extends ServiceOptions {
  readonly expectedLive: string;
  readonly expectedEpoch?: number;
  readonly reason: string;
  readonly force?: boolean;
  readonly canary?: number;
}

export function promoteVerb(program: Command): void {
  const command = program
    .command("promote <version>")
    .description("make a version live, if what you believe to be live still is")
    .requiredOption(
      "--expected-live <version>",
      'the version you mean to replace ("none" at the first promotion)',
    )
    .option(
      "--expected-epoch <n>",
      "its epoch as you saw it: refuses also what has left and come back since",
      wholeNumber,
    )
    .requiredOption("--reason <text>", "why; goes into the audit log")
    .option("--force", "promote without the gate's consent; the audit log says so")
    .option(
      "--canary <share>",
      "only for this share of the users; again to widen it, 0 ends it, which judges nothing",
      shareFromZero,
    );
  withService(command).action(async (version: string, options: PromoteOptions) => {
    const api = await connect(options);
    const expectedLive = options.expectedLive === "none" ? null : options.expectedLive;
    const body = {
      expectedLive,
      reason: options.reason,
      ...(options.expectedEpoch === undefined ? {} : { expectedEpoch: options.expectedEpoch }),
      ...(options.force === true ? { force: true } : {}),
    };
    if (options.canary !== undefined) {
      const asked = { ...body, share: options.canary };
      const result = await api.post<CanaryResult>(`/models/${version}/canary`, asked);
      print(result.live, options, () => canaryLine(result.live));
      return;
    }
    const { live } = await api.post<Promoted>(`/models/${version}/promote`, body);
    print(
      live,
      options,
      () =>
        `live: ${live.version} (epoch ${live.epoch}); a rollback returns to ${live.previous ?? live.floor}`,
    );
  });
}

function canaryLine({ version, epoch, canary }: LivePointer): string {
  if (canary === null) return `no canary; live for everybody: ${version} (epoch ${epoch})`;
  const percent = Number((100 * canary.share).toFixed(2));
  return `canary: ${canary.version} for ${percent} % of the users; live for the others: ${version} (epoch ${epoch}); a rollback ends the canary`;
}
