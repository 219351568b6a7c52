import { canonicalJson } from "../../models/canonical-json.ts";
import type { VersionFacts } from "../../models/gate/evidence.ts";
import { openingTime } from "../../services/interactions/event-clocks.ts";
import type { Attempt } from "../../services/shadow/types.ts";
import type { JobContext } from "../context.ts";
import { GATE } from "./record.ts";

/**
 * A line is a recipe with its parameters, whatever data it was trained on. A refresh of a line that is in the shadow goes
 * on with its tests: H0 says that whichever version was current when a user came was not better by δ. So retraining
 * every day neither restarts a test with the same α nor spends more of it. Resolves to whether the version went on so.
 */
export async function goOnWithLine(
  context: JobContext,
  challenger: VersionFacts,
  baseline: string,
): Promise<boolean> {
  const { registry, shadowLog } = context;
  const open = await shadowLog.openAttempts();
  const former = await currentOfLine(context, open, challenger, baseline);
  if (former === null) return false;
  const record = await registry.version(challenger.version);
  const { state } = (await registry.version(former)) ?? {};
  // What waits for an operator is not taken away.
  if (state !== "SHADOWING") return false;
  const words = `goes on with the users of ${former}, whose recipe and parameters it has`;
  if (record?.state === "SCREENED") {
    await registry.goOn(challenger.version, words, GATE);
  }
  const since = openingTime(await context.events.clocks());
  for (const attempt of open.filter((one) => one.challenger.version === former)) {
    const before = await shadowLog.counts(attempt.id);
    await shadowLog.open({
      ...attempt,
      challenger,
      former: [...(attempt.former ?? []), former],
      current: { since, before },
    });
    await shadowLog.restart(attempt.id);
  }
  const reason = `superseded by ${challenger.version}, which ${words}`;
  await registry.transition(former, ["SHADOWING"], "RETIRED", reason, GATE);
  return true;
}

/** The version of the same line that is open against the baseline; null where there is none. */
async function currentOfLine(
  { artifacts }: JobContext,
  open: readonly Attempt[],
  { version, recipe }: VersionFacts,
  baseline: string,
): Promise<string | null> {
  const lineOf = async (one: string): Promise<string> =>
    canonicalJson((await artifacts.manifest(one)).manifest.params);
  const line = await lineOf(version);
  for (const attempt of open) {
    const { challenger } = attempt;
    if (attempt.baseline.version !== baseline || challenger.recipe !== recipe) continue;
    if (challenger.version === version) return null;
    if ((await lineOf(challenger.version)) === line) return challenger.version;
  }
  return null;
}
