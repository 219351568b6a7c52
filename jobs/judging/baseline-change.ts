import { goesOnUnder } from "../../models/gate/test-numbers.ts";
import type { JobContext } from "../context.ts";
import { GATE } from "./record.ts";
import { screen } from "./screen.ts";

/**
 * An attempt against a version that is not live any more, or under other numbers of its test, has lost its meaning: it
 * is closed, and its challenger screened anew against what is live now. The attempt of the canary is closed too: it
 * has done its work.
 */
export async function settleBaselineChange(context: JobContext): Promise<void> {
  const live = await context.registry.live();
  if (live === null) return;
  for (const attempt of await context.shadowLog.openAttempts()) {
    const { version } = attempt.challenger;
    const current = attempt.baseline.version === live.version && goesOnUnder(attempt, context.policy);
    if (current && version !== live.version && version !== live.canary?.version) continue;
    await context.shadowLog.close(attempt.id);
    const record = await context.registry.version(version);
    if (record?.state === "SHADOWING" || record?.state === "ELIGIBLE") {
      const why = `its baseline ${attempt.baseline.version} or the policy's numbers of its test changed`;
      await context.registry.transition(version, [record.state], "STALE", why, GATE);
    }
  }
  for (const record of await context.registry.versions()) {
    if (record.state === "STALE" || record.state === "SCREENED") await screen(context, record.version);
  }
}
