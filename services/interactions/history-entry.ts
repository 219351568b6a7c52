import { itemId } from "../../models/data/ids.ts";
import { SeenFilter } from "./seen-filter.ts";
import type { FeedbackEvent, HistoryEntry, UserHistory } from "./types.ts";

/**
 * A history entry as stored: `<sequence> [itemId,timestamp,weight,requestId]`, and a 1 at the
 * end where an import said so. The sequence is outside the JSON,
 * so that a script can number entries without parsing them.
 */
type StoredEntry = [item: string, timestamp: number, weight: number, requestId: string | null, imported?: 1];

/** Strength of interest: an event weighs its rating, or 1, unless it says otherwise. */
export const weightOf = ({ weight, rating }: Pick<FeedbackEvent, "weight" | "rating">): number =>
  weight ?? rating ?? 1;

/** The part after the sequence; empty for mere exposure, which is no part of a history. */
export function entryText(event: FeedbackEvent, timestamp: number): string {
  const weight = weightOf(event);
  if (weight === 0) return "";
  const entry: StoredEntry = [event.itemId, timestamp, weight, event.requestId ?? null];
  return JSON.stringify(entry);
}

function parseEntry(line: string): HistoryEntry {
  const space = line.indexOf(" ");
  const [item, timestamp, weight, requestId] = JSON.parse(line.slice(space + 1)) as StoredEntry;
  return { sequence: Number(line.slice(0, space)), itemId: itemId(item), timestamp, weight, requestId };
}

export function historyOf(lines: readonly string[], seen: Uint8Array | null): UserHistory {
  const entries = lines.map(parseEntry);
  return {
    entries,
    seen: seen === null ? null : new SeenFilter(seen),
    through: entries.at(-1)?.sequence ?? 0,
  };
}
