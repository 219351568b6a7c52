import type { VersionFacts } from "../../models/gate/evidence.ts";
import type { Policy } from "../../models/gate/policy.ts";
import type { LivePeriod } from "../../services/registry/audit.ts";
import type { JobContext } from "../context.ts";

const PROMOTIONS: ReadonlySet<LivePeriod["action"]> = new Set(["promote", "force-promote"]);

/**
 * The version that won the last UPGRADE on the way to `live`: goes back from promotion to promotion while the version
 * before had the same recipe; where the policy lets cheaper versions take over, also while it stood on a higher rung, since
 * one only had not to lose to it. `periods` is what was live when, oldest first. Each step looks only at promotions
 * older than the one before, so the walk ends even if a version was promoted twice.
 */
export function lastUpgrade(
  periods: readonly LivePeriod[],
  live: string,
  factsOf: (version: string) => Pick<VersionFacts, "recipe" | "phase"> | undefined,
  { downRung }: Pick<Policy["promotion"], "downRung">,
): string {
  let version = live;
  let before = periods.length;
  for (;;) {
    before = periods.findLastIndex(
      (period, index) => index < before && period.version === version && PROMOTIONS.has(period.action),
    );
    const left = periods[before]?.from ?? null;
    const [older, newer] = [factsOf(left ?? ""), factsOf(version)];
    if (left === null || older === undefined || newer === undefined) return version;
    const isBelow = downRung && newer.phase < older.phase;
    if (older.recipe !== newer.recipe && !isBelow) return version;
    version = left;
  }
}

/** Undefined when the baseline is the last upgrade itself. */
export async function lastUpgradeBefore(
  context: JobContext,
  baseline: string,
): Promise<VersionFacts | undefined> {
  const [periods, versions] = await Promise.all([
    context.registry.liveHistory(),
    context.registry.versions(),
  ]);
  const recordOf = new Map(versions.map((record) => [record.version, record]));
  const upgrade = lastUpgrade(
    periods,
    baseline,
    (version) => recordOf.get(version),
    context.policy.promotion,
  );
  const record = recordOf.get(upgrade);
  if (upgrade === baseline || record === undefined) return undefined;
  return { version: record.version, phase: record.phase, recipe: record.recipe };
}
