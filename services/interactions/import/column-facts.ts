import { eventTypeOf } from "../../../models/data/event-types.ts";
import { isNothing, numberOf } from "./numbers.ts";
import { type TimeFormat, timeFormatOf } from "./times.ts";

/** What the cells of one column look like. */
export interface ColumnFacts {
  readonly rows: number;
  readonly distinct: number;
  /** Every cell a number. */
  readonly numeric: boolean;
  /** Every cell a whole number. */
  readonly whole: boolean;
  readonly minimum: number;
  readonly maximum: number;
  /** Share of the rows that hold the most frequent value. */
  readonly topShare: number;
  readonly timeFormat: TimeFormat | null;
  /** Whether most cells would be times between 1990 and tomorrow. */
  readonly timeLike: boolean;
  /** Most cells hold spaces between words. */
  readonly wordy: boolean;
  /** Every cell the name of a kind of event. */
  readonly eventTypes: boolean;
  /** The first cells that hold something. */
  readonly examples: readonly string[];
}

const EARLIEST_LIKELY = Date.UTC(1990, 0, 1);
const MS_PER_DAY = 86_400_000;
/** Nine in ten cells, so that one broken cell does not change what a column is. */
const MOST = 0.9;

export function factsOf(cells: readonly string[], now: number, decimalComma: boolean): ColumnFacts {
  const present = cells.filter((cell) => !isNothing(cell));
  const counts = new Map<string, number>();
  for (const cell of present) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  const numbers = present.map((cell) => numberOf(cell, decimalComma)).filter((value) => !Number.isNaN(value));
  const most = (count: number): boolean => present.length > 0 && count >= MOST * present.length;
  const format = timeFormatOf(present, decimalComma);
  const timeFormat = format === "ambiguous" ? null : format;
  return {
    rows: cells.length,
    distinct: counts.size,
    numeric: most(numbers.length),
    whole: most(numbers.filter(Number.isInteger).length),
    minimum: numbers.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    maximum: numbers.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY),
    topShare: Math.max(0, ...counts.values()) / Math.max(1, present.length),
    timeFormat,
    timeLike: format === "ambiguous" || most(likelyTimes(present, timeFormat, now)),
    wordy: most(present.filter((cell) => /\S\s+\S/.test(cell)).length),
    eventTypes: most(present.filter((cell) => eventTypeOf(cell) !== undefined).length),
    examples: [...counts.keys()].slice(0, 3),
  };
}

function likelyTimes(cells: readonly string[], format: TimeFormat | null, now: number): number {
  if (format === null) return 0;
  return cells.filter((cell) => {
    const bytes = Buffer.from(cell);
    const time = format.at(bytes, 0, bytes.length);
    return time >= EARLIEST_LIKELY && time <= now + MS_PER_DAY;
  }).length;
}

/** What a column looks like, for a person who has to name its part. */
export function describeFacts(facts: ColumnFacts): string {
  const examples = facts.examples.map((cell) => `"${cell.slice(0, 30)}"`).join(", ");
  const kind = facts.timeLike ? "times" : facts.numeric ? "numbers" : facts.wordy ? "words" : "texts";
  return `${kind}, ${facts.distinct} different in ${facts.rows} rows, such as ${examples || "nothing"}`;
}
