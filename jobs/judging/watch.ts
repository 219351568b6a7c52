import type { JudgePayload } from "../../services/queues/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { Watch } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { enterClosedUsers } from "./closed-users.ts";
import { judgementOf } from "./judgement.ts";
import { leaveLive } from "./leave-live.ts";
import { ruleAndRecord } from "./record.ts";
import { lossesOf } from "./reverse-shadow.ts";

/**
 * Whatever is live and however it came there, the version before it goes on answering the same requests in the shadow.
 * A proven loss rolls back; enough users without one end the watch.
 */
export async function judgeWatches(
  context: JobContext,
  payload: JudgePayload,
): Promise<readonly Judgement[]> {
  const judgements: Judgement[] = [];
  for (const watch of await context.shadowLog.openWatches()) {
    if (watch.kind === "watch") judgements.push(await judgeOne(context, watch, payload));
  }
  return judgements;
}

async function judgeOne(context: JobContext, watch: Watch, { record }: JudgePayload): Promise<Judgement> {
  const { users, vouching } = await enterClosedUsers(context, watch);
  const { challenger: live, baseline: previous, variance, figure, olderUpperBound, toleratedLoss } = watch;
  const look = await ruleAndRecord(
    context,
    "watch",
    { live, previous, users: lossesOf(users), variance, figure, vouching, olderUpperBound, toleratedLoss },
    { isWorthRecording: ({ ruling }) => ruling.verdict !== "hold" || record },
  );
  const { verdict } = look.ruling;
  if (verdict === "reject" && look.decision !== null) await leaveLive(context, look.decision);
  // Closed last: a crash before it only means that the same evidence is judged once more.
  if (verdict !== "hold") await context.shadowLog.close(watch.id);
  return judgementOf("watch", look, users.length);
}
