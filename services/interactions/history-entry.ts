import { itemId } from "../../models/data/ids.ts";
import type { FeedbackEvent, HistoryEntry, UserHistory } from "./types.ts";

/**
 * A history entry as stored: `<sequence> [itemId,timestamp,weight,requestId]`. The sequence is outside the JSON,
 * so that a script can number entries without parsing them.
 */
type StoredEntry = [item: string, timestamp: number, weight: number, requestId: string | null];

/** The part after the sequence. An event without a rating weighs 1. */
export function entryText(event: FeedbackEvent, timestamp: number): string {
  const entry: StoredEntry = [event.itemId, timestamp, event.rating ?? 1, event.requestId ?? null];
  return JSON.stringify(entry);
}

function parseEntry(line: string): HistoryEntry {
  const space = line.indexOf(" ");
  const [item, timestamp, weight, requestId] = JSON.parse(line.slice(space + 1)) as StoredEntry;
  return { sequence: Number(line.slice(0, space)), itemId: itemId(item), timestamp, weight, requestId };
}

export function historyOf(lines: readonly string[]): UserHistory {
  const entries = lines.map(parseEntry);
  return { entries, through: entries.at(-1)?.sequence ?? 0 };
}
