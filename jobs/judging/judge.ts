import type { JudgePayload } from "../../services/queues/types.ts";
import type { Judgement } from "../../services/shadow/looks.ts";
import type { JobContext } from "../context.ts";
import { judgeAttempts } from "./attempts.ts";
import { settleBaselineChange } from "./baseline-change.ts";
import { judgeRunningCanary } from "./canary.ts";
import { settleDueUsers } from "./closed-users.ts";
import { leaveFailingLive } from "./fleet.ts";
import { refreshForecasts } from "./forecast-verdict.ts";
import { lookAtHoldback } from "./holdback.ts";
import { settlePanel } from "./panel.ts";
import { settleWatches } from "./reverse-shadow.ts";
import { judgeWatches } from "./watch.ts";

/**
 * One look at everything that is open: users whose windows have closed enter, the sequential tests move on, and what
 * is proven takes effect. Looking often costs nothing: the tests are valid at every look. A hold is written down only
 * when asked for (`record`), so that the log is not flooded with "not yet".
 */
export async function judge(context: JobContext, payload: JudgePayload): Promise<readonly Judgement[]> {
  // First of all: a rollback changes what challengers are compared with.
  const failing = await leaveFailingLive(context);
  await settlePanel(context);
  await settleDueUsers(context);
  await settleWatches(context);
  const watched = await judgeWatches(context, payload);
  const canary = await judgeRunningCanary(context, payload);
  await settleBaselineChange(context);
  const shadowed = await judgeAttempts(context, payload);
  const judgements = [...shadowed, ...canary, ...watched, ...failing];
  await tellOfSuspects(context, judgements);
  await context.looks.put(judgements, context.isoNow());
  await refreshForecasts(context);
  await lookAtHoldback(context);
  return judgements;
}

/** Once, when the evidence of a comparison becomes suspect; the look and the metric say so for as long as it is. */
async function tellOfSuspects({ log, looks }: JobContext, judgements: readonly Judgement[]): Promise<void> {
  const suspects = judgements.filter(({ suspect }) => suspect === true);
  if (suspects.length === 0) return;
  const before = (await looks.latest()).filter(({ suspect }) => suspect === true);
  for (const { about, challenger, baseline, sentence } of suspects) {
    const isKnown = before.some(
      (look) => look.about === about && look.challenger === challenger && look.baseline === baseline,
    );
    if (!isKnown) log.warn({ about, challenger, baseline, sentence }, "the evidence is suspect: look at it");
  }
}
