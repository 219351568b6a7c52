import type { Command } from "commander";
import { type Decision, recomputeDecision, verifyDecisions } from "../../../models/gate/decision.ts";
import { EXIT, print } from "../output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

export function verifyDecisionVerb(program: Command): void {
  const command = program
    .command("verify-decision <id>")
    .description("judge a decision's evidence again, and check that its record was not altered");
  withService(command).action(async (id: string, options: ServiceOptions) => {
    const api = await connect(options);
    const decision = await api.get<Decision>(`/decisions/${encodeURIComponent(id)}`);
    const broken = verifyDecisions([decision], decision.previousSha256);
    const { sameE, sameAlpha, sameVerdict, logE, alpha, ruling } = recomputeDecision(decision);
    const holds = broken === null && sameE && sameAlpha && sameVerdict;
    if (!holds) process.exitCode = EXIT.failed;
    const same = { sameE, sameAlpha, sameVerdict };
    const result = { id, holds, intact: broken === null, ...same, logE, alpha, verdict: ruling.verdict };
    const figures =
      logE.recomputed === null || alpha.recomputed === null
        ? ""
        : ` (ln E = ${logE.recomputed.toFixed(6)} at α = ${Number(alpha.recomputed.toPrecision(6))})`;
    print(result, options, () =>
      holds
        ? `${id} holds: ${ruling.verdict}, the same evidence gives the same verdict${figures}`
        : `${id} does NOT hold: ${broken?.problem ?? `recorded ${decision.ruling.verdict}, recomputed ${ruling.verdict}`}`,
    );
  });
}
