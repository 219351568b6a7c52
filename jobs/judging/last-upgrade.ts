import type { VersionFacts } from "../../models/gate/evidence.ts";
import type { LivePeriod } from "../../services/registry/audit.ts";
import type { JobContext } from "../context.ts";

const PROMOTIONS: ReadonlySet<LivePeriod["action"]> = new Set(["promote", "force-promote"]);

/**
 * The version that won the last UPGRADE on the way to `live`: goes back from promotion to promotion while the version
 * before had the same recipe. `periods` is what was live when, oldest first. Each step looks only at promotions older
 * than the one before, so the walk ends even if a version was promoted twice.
 */
export function lastUpgrade(
  periods: readonly LivePeriod[],
  live: string,
  recipeOf: (version: string) => string | undefined,
): string {
  let version = live;
  let before = periods.length;
  for (;;) {
    before = periods.findLastIndex(
      (period, index) => index < before && period.version === version && PROMOTIONS.has(period.action),
    );
    const left = periods[before]?.from ?? null;
    if (left === null || recipeOf(left) !== recipeOf(version)) return version;
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
  const upgrade = lastUpgrade(periods, baseline, (version) => recordOf.get(version)?.recipe);
  const record = recordOf.get(upgrade);
  if (upgrade === baseline || record === undefined) return undefined;
  return { version: record.version, phase: record.phase, recipe: record.recipe };
}
