import type { CaseKind } from "../../models/gate/ruling.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { CaseLook } from "./record.ts";

/** What the judge's latest look says of one case, `users` of which it has counted. */
export function judgementOf<Kind extends Judgement["about"] & CaseKind>(
  about: Kind,
  { challenger, baseline, ruling, sentence }: CaseLook<Kind>,
  users: number,
): Judgement {
  const isSuspect = "suspicions" in ruling && ruling.suspicions !== undefined;
  return {
    about,
    challenger,
    baseline,
    verdict: ruling.verdict,
    users,
    ...(isSuspect && { suspect: true }),
    sentence,
  };
}
