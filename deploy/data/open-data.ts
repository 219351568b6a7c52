import { join } from "node:path";
import type { Config } from "../../services/config.ts";
import { findData, loadData } from "../../services/interactions/find-data.ts";
import type { ImportProgress } from "../../services/interactions/import/import.ts";
import type { SettingsGiven } from "../../services/interactions/import/import-settings.ts";
import { readEventRules } from "../../services/policy-file.ts";

/** The data as the configuration names it, read and validated. */
export async function openData(config: Config, say: (message: string) => void, settings: SettingsGiven = {}) {
  say("looking for data");
  const cacheFolder = join(config.stateFolder, "data");
  const rules = await readEventRules(config.policyFile);
  const found = await findData({ source: config.dataFolder ?? undefined, cacheFolder });
  const onProgress = ({ fraction, message }: ImportProgress): void =>
    say(`import ${(fraction * 100).toFixed(0).padStart(3)} %  ${message}`);
  return { ...(await loadData(found, { now: Date.now(), settings, rules, onProgress })), found };
}
