import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../services/storage/durable-file.ts";

/** How far the replay of one data set got, so that a second start does not play it again. */
export interface ReplayMark {
  /** Of the snapshot that the replay continues. */
  readonly snapshotSha256: string;
  /** First event that was not played yet. */
  readonly next: number;
}

const FILE = "replay.json";

/** First event to play: where the last run stopped, or `cutAt` when that was another data set or cut. */
export async function replayFrom(
  stateFolder: string,
  snapshotSha256: string,
  cutAt: number,
): Promise<number> {
  try {
    const mark = JSON.parse(await readFile(join(stateFolder, FILE), "utf8")) as ReplayMark;
    return mark.snapshotSha256 === snapshotSha256 ? Math.max(cutAt, mark.next) : cutAt;
  } catch {
    return cutAt;
  }
}

/** Written whole or not at all. Events are idempotent by id, so a mark that lags only repeats some. */
export async function markReplay(stateFolder: string, mark: ReplayMark): Promise<void> {
  await replaceFile(join(stateFolder, FILE), JSON.stringify(mark));
}
