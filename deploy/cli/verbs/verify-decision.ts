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
    const { sameE, sameVerdict, logE, ruling } = recomputeDecision(decision);
    const holds = broken === null && sameE && sameVerdict;
    if (!holds) process.exitCode = EXIT.failed;
    const result = { id, holds, intact: broken === null, sameE, sameVerdict, logE, verdict: ruling.verdict };
    print(result, options, () =>
      holds
        ? `${id} holds: ${ruling.verdict}, the same evidence gives the same verdict${logE.recomputed === null ? "" : ` (ln E = ${logE.recomputed.toFixed(6)})`}`
        : `${id} does NOT hold: ${broken?.problem ?? `recorded ${decision.ruling.verdict}, recomputed ${ruling.verdict}`}`,
    );
  });
}
