import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PhasewiseError } from "../../errors.ts";
import { SETTINGS_FILE } from "./import-settings.ts";

/** The files that a source consists of. */
export interface SourceFiles {
  /** Parts of one table of events, in their order. */
  readonly interactions: readonly string[];
  /** Every other table beside it, where titles may be. */
  readonly others: readonly string[];
}

/** Names that tables of events have, the likeliest first. */
const INTERACTION_STEMS: readonly RegExp[] = [
  /^(interactions|ratings)$/,
  /^u\.data$|^ua?\.base$/,
  /^(events|behaviors|userbehavior)$/,
  /\.inter$/,
  /^combined_data/,
  /^(transactions_train|transactions|purchases|orders|online_?retail.*)$/,
  /^(reviews?|.*_reviews?|.*_review|goodreads_interactions.*)$/,
  /clicks|buys|sessions/,
  /^(user_?artists|usersha1-artmbid-artname-plays|user_?taggedartists-timestamps|plays|listens|checkins|bx-book-ratings|user_?ratings|rating|final_animedataset)$/,
  /ratings?|interactions?|transactions?|reviews?|events?|feedback|history/,
];
const TABLE =
  /\.(csv|tsv|tab|psv|txt|dat|data|base|json|jsonl|ndjson|parquet|pq|inter|item|out|log|ssv)(\.(gz|zst|zstd))?$|^u\.(data|item)$/i;
/** Explanations and what programs leave behind. */
const NO_DATA =
  /^[._]|readme|licen[cs]e|checksum|changelog|\.crc$|^u\.(user|info|genre|occupation)$|^(links|users)\.(csv|dat)$/i;
const DEEPEST = 4;

/** Finds the events and what may be their catalogue in a file, a folder, or a folder of parts. @throws INVALID_DATA */
export async function findFiles(source: string): Promise<SourceFiles> {
  const kind = await stat(source).catch(() => null);
  if (kind === null) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${source}: expected a file or a folder of interactions, got nothing at that path; check --data`,
      { path: source },
    );
  }
  if (kind.isFile()) return { interactions: [source], others: [] };
  const top = await tablesIn(source, 0);
  const tables = top.length > 0 ? top : await tablesIn(source, DEEPEST);
  const groups = grouped(tables);
  const names = groups.map(({ stem }) => stem);
  const known = INTERACTION_STEMS.map((pattern) => names.findIndex((stem) => pattern.test(stem))).find(
    (index) => index >= 0,
  );
  const chosen = known ?? (groups.length === 1 ? 0 : -1);
  if (chosen < 0) throw unknown(source, tables);
  const interactions = groups[chosen].paths;
  return { interactions, others: tables.filter((path) => !interactions.includes(path)) };
}

/** When the name says nothing, whichever table proves to be one of events may be tried: all but catalogues. */
function unknown(source: string, tables: readonly string[]): PhasewiseError {
  const found = tables.slice(0, 8).map((path) => path.slice(source.length + 1));
  return new PhasewiseError(
    "INVALID_DATA",
    `${source}: expected a file of events such as ratings.csv, interactions.parquet or part-00000.csv, got ` +
      `${found.join(", ") || "no table"}; point --data at the file itself, or name it ratings or interactions`,
    { path: source },
  );
}

async function tablesIn(folder: string, deeper: number): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => byNumbers(a.name, b.name))) {
    const path = join(folder, entry.name);
    if (NO_DATA.test(entry.name) || entry.name === SETTINGS_FILE) continue;
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await stat(path)).isDirectory());
    if (isFolder && deeper > 0) found.push(...(await tablesIn(path, deeper - 1)));
    else if (!isFolder && TABLE.test(entry.name)) found.push(path);
  }
  return found;
}

/** part-2 before part-10. */
const byNumbers = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

interface Group {
  readonly stem: string;
  readonly paths: string[];
}

/** Files whose names differ in numbers only, or in the random ids that Spark gives, are parts of one table. */
function grouped(paths: readonly string[]): Group[] {
  const groups = new Map<string, Group>();
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
    const plain = name.replace(/\.(gz|zst|zstd)$/, "");
    const extension =
      /^u\./.test(plain) || plain.endsWith(".inter") ? "" : (/\.[a-z]+$/.exec(plain)?.[0] ?? "");
    const stem = plain.slice(0, plain.length - extension.length);
    const parts = /^(part|chunk|split|shard|data|output|file)?[-_.]?\d+|_\d+$|-\d+$|^\d+$|-of-\d+/.test(stem);
    const uniform = stem
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-c\d+)?/g, "*")
      .replaceAll(/\d+/g, "*");
    const key = `${parts ? uniform : stem}${extension}`;
    const group = groups.get(key) ?? { stem, paths: [] };
    group.paths.push(path);
    groups.set(key, group);
  }
  return [...groups.values()];
}
