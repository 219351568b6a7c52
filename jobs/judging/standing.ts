import { canonicalJson } from "../../models/canonical-json.ts";
import { policySha256 } from "../../models/gate/policy.ts";
import type { Standing } from "../../models/gate/standing.ts";
import type { Attempt } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import type { RecordedShadow } from "./closed-users.ts";

/** The parts of the evidence that are cheap to read. */
export async function standingOf(
  { shadowLog, interleaving, policy, now }: JobContext,
  attempt: Attempt,
  { users }: RecordedShadow,
): Promise<Omit<Standing, "ruled">> {
  const [counts, shed, lost, served, credited, open] = await Promise.all([
    shadowLog.counts(attempt.id),
    shadowLog.shedCount(attempt.id),
    shadowLog.lost(attempt.id, now() - policy.shadow.overtakenSeconds * 1000),
    interleaving.counts(attempt.id),
    interleaving.users(attempt.id),
    interleaving.open(),
  ]);
  const faults = Object.entries(counts).filter(([name]) => FAULTS.has(name) || name.startsWith("broken:"));
  const shamsDifferent = (counts.shams ?? 0) - (counts.shamsIdentical ?? 0);
  const notable = canonicalJson({
    versions: [attempt.challenger.version, attempt.baseline.version],
    policy: policySha256(policy),
    faults: Object.fromEntries(faults),
    shamsDifferent,
    shed,
    lost,
    served,
    credited: credited.length,
    interleaved: open?.attemptId === attempt.id,
  });
  return { notable, users: users.length, asked: counts.asked ?? 0 };
}

const FAULTS: ReadonlySet<string> = new Set(["failures", "timeouts", "baselineFailed", "repeatsDifferent"]);
