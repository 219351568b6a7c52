import { change, percent } from "./explain-words.ts";
import type { HoldbackStanding } from "./holdback.ts";

/** What all promotions together bring, in one sentence with its numbers in users. */
export function explainHoldback({
  pairs,
  lift,
  lowerBound,
  upperBound,
  alpha,
  found,
}: HoldbackStanding): string {
  const whom =
    pairs === 1
      ? "1 user on the floor and a twin"
      : `${pairs.toLocaleString("en")} users on the floor and as many twins`;
  if (pairs === 0) return "No pair of a user on the floor and a twin has been judged yet.";
  const seen = `all promotions together bring ${change(lift)} nDCG by ${whom}`;
  const sure = `${percent(1 - alpha)} confidence at any time`;
  if (found === "gain") return `Proven to pay: ${seen}, at least ${change(lowerBound)} (${sure}).`;
  if (found === "harm")
    return `HARM: ${seen}, at most ${change(upperBound)} (${sure}): the floor alone would serve them better.`;
  return `Not settled: ${seen}, which excludes neither a gain nor harm yet.`;
}
