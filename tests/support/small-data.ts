import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InteractionLog } from "../../models/data/interaction-log.ts";
import { syntheticData } from "../../models/data/synthetic.ts";

export interface SmallDataShape {
  readonly seed?: number;
  readonly users?: number;
  readonly items?: number;
  readonly events?: number;
}

/** Writes synthetic data as the two files of a MovieLens folder, and returns the folder. */
export async function writeSmallData(parent: string, shape: SmallDataShape = {}): Promise<string> {
  const { seed = 7, users = 250, items = 150, events = 6000 } = shape;
  const { log, catalogue } = syntheticData({ seed, users, items, events });
  const folder = join(parent, "recorded");
  await mkdir(folder, { recursive: true });
  const films = [...catalogue].map(([item, { title, genres }]) => `${item},"${title}",${genres.join("|")}`);
  await writeFile(join(folder, "ratings.csv"), `userId,movieId,rating,timestamp\n${csvRows(log)}\n`);
  await writeFile(join(folder, "movies.csv"), `movieId,title,genres\n${films.join("\n")}\n`);
  return folder;
}

/** userId,itemId,rating,seconds: a line an event. */
export function csvRows(log: InteractionLog): string {
  return Array.from(log.timestamps, (timestamp, event) =>
    [
      log.users.idAt(log.userIndex[event]),
      log.items.idAt(log.itemIndex[event]),
      log.weights[event],
      timestamp / 1000,
    ].join(),
  ).join("\n");
}
