import type { Command } from "commander";
import {
  type Decision,
  type Recomputation,
  recomputeDecision,
  verifyDecisions,
} from "../../../models/gate/decision.ts";
import type { BrokenLink } from "../../../models/hash-chain.ts";
import type { PlaceInChain } from "../../../services/serving/routes/records.ts";
import { type ApiClient, ApiError } from "../../client/api-client.ts";
import { EXIT, print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

export function verifyDecisionVerb(program: Command): void {
  const command = program
    .command("verify-decision <id>")
    .description("judge a decision's evidence again, and check that neither it nor the chain was altered");
  withService(command).action(async (id: string, options: ServiceOptions) => {
    const api = await connect(options);
    const path = `/decisions/${encodeURIComponent(id)}`;
    const decision = await api.get<Decision>(path);
    const broken = verifyDecisions([decision], decision.previousSha256);
    const again = recomputeDecision(decision);
    const { sameE, sameAlpha, sameVerdict, logE, alpha, ruling } = again;
    const chain = await chainOf(api, path);
    const chainHolds = chain === null || (chain.position !== null && chain.firstBroken === null);
    const holds = broken === null && sameE && sameAlpha && sameVerdict && chainHolds;
    if (!holds) process.exitCode = EXIT.failed;
    const same = { sameE, sameAlpha, sameVerdict };
    const result = {
      id,
      holds,
      intact: broken === null,
      ...same,
      logE,
      alpha,
      verdict: ruling.verdict,
      chain,
    };
    print(result, options, () =>
      holds
        ? `${id} holds: ${ruling.verdict}, the same evidence gives the same verdict${figures(again)}; ${place(chain)}`
        : `${id} does NOT hold: ${problem(decision, broken, again, chain)}`,
    );
  });
}

/** Null without the operator's key, which the service asks for before it reads every record. */
async function chainOf(api: ApiClient, path: string): Promise<PlaceInChain | null> {
  try {
    return await api.get<PlaceInChain>(`${path}/chain`);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

function figures({ logE, alpha }: Recomputation): string {
  if (logE.recomputed === null || alpha.recomputed === null) return "";
  return ` (ln E = ${logE.recomputed.toFixed(6)} at α = ${Number(alpha.recomputed.toPrecision(6))})`;
}

function place(chain: PlaceInChain | null): string {
  return chain === null
    ? "the chain was not checked, which needs the operator's key (--key-file)"
    : `link ${chain.position} of a chain that verifies`;
}

function problem(
  decision: Decision,
  broken: BrokenLink | null,
  { ruling, sameE, sameAlpha, sameVerdict }: Recomputation,
  chain: PlaceInChain | null,
): string {
  if (broken !== null) return broken.problem;
  if (!sameVerdict || !sameE || !sameAlpha) {
    return `recorded ${decision.ruling.verdict}, recomputed ${ruling.verdict}`;
  }
  return chain?.firstBroken == null
    ? "it is no link of the chain of decisions"
    : `the chain of decisions is broken at ${chain.firstBroken}`;
}
