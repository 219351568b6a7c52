import { type Dialect, rowsOfText } from "./csv-reader.ts";

/** What may stand between two cells; of equals, the first. \x01 is Hive's. */
const DELIMITERS = ["::", "\t", ";", "|", ",", "\x01", " "] as const;

/** Share of the lines that must have the same number of cells for a delimiter to be the one. */
const SHARE_ALIKE = 0.9;

/** A quote after a backslash, in a cell or at its start, that something other than the end of a cell follows. */
const BACKSLASH_QUOTE = /[^\\"]\\"(?!::)[^,;|\t\r\n]|(?<=^|[,;|\t\r\n:])"\\"(?!::)[^",;|\t\r\n]/;

export interface Shape {
  readonly dialect: Dialect;
  /** Cells of most rows. */
  readonly width: number;
  /** The rows of the sample, as they are. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * The delimiter that cuts the sample into rows of equal width: the widest wins, since what separates columns stands
 * in every line while a letter of the content does not.
 *
 * @param delimiter as the user named it; null to find out
 */
export function shapeOf(sample: Buffer, whole: boolean, delimiter: string | null): Shape {
  const backslash = BACKSLASH_QUOTE.test(sample.toString("latin1"));
  const candidates = delimiter === null ? DELIMITERS : [delimiter];
  let best: (Shape & { readonly share: number }) | null = null;
  for (const candidate of candidates) {
    const dialect = { delimiter: candidate, backslash };
    const { rows } = rowsOfText(sample, dialect, whole);
    const { width, share } = usualWidth(rows);
    if (delimiter === null && (width < 2 || share < SHARE_ALIKE || !begins(rows, width))) continue;
    if (best === null || width > best.width) best = { dialect, width, rows, share };
  }
  if (best !== null) return best;
  const dialect = { delimiter: mostFrequent(sample), backslash };
  const { rows } = rowsOfText(sample, dialect, whole);
  return { dialect, width: usualWidth(rows).width, rows };
}

/** A header may lack the name of row numbers; other than that, what parts the rows parts the first line too. */
const begins = (rows: readonly (readonly string[])[], width: number): boolean =>
  rows[0].length === width || (width > 2 && rows[0].length === width - 1);

function usualWidth(rows: readonly (readonly string[])[]): { width: number; share: number } {
  const counts = new Map<number, number>();
  for (const { length } of rows) counts.set(length, (counts.get(length) ?? 0) + 1);
  let [width, most] = [1, 0];
  for (const [length, count] of counts) if (count > most) [width, most] = [length, count];
  return { width, share: rows.length === 0 ? 0 : most / rows.length };
}

/** For a text of which no delimiter makes a table: the one in its first line, so that messages show cells. */
function mostFrequent(sample: Buffer): string {
  const [first] = sample.toString("utf8", 0, 10_000).split(/\r\n|\n|\r/);
  return DELIMITERS.find((candidate) => first.trim().includes(candidate)) ?? ",";
}

/** Whether lines of whole numbers are a user each with any number of items, rather than an event each. */
export function isLists(sample: Buffer, whole: boolean): boolean {
  const lines = sample.toString("latin1").split(/\r\n|\n|\r/);
  const rows = (whole ? lines : lines.slice(0, -1)).map((line) => line.trim()).filter((line) => line !== "");
  if (rows.length === 0 || !rows.every((row) => /^\d+( +\d+)*$/.test(row))) return false;
  const lengths = new Set(rows.map((row) => row.split(/ +/).length));
  return lengths.size > 1 || Math.max(...lengths) > 5;
}
