import type { ColumnFacts } from "./column-facts.ts";
import type { Role } from "./column-names.ts";

/** A part given to a column, and why. */
export interface Assignment {
  readonly role: Role;
  readonly column: number;
  readonly why: string;
}

/** Values that are no rating: far apart, or nearly all the same. */
const LARGEST_RATING = 100;
const MOST_DIFFERENT_RATINGS = 101;
/** A scale has so many values whatever the number of rows, and more only where rows are many. */
const USUAL_SCALE = 12;
const ROWS_A_RATING = 5;
const NEARLY_ALL = 0.8;
/** Decimals of a scale; a price or a time span goes beyond. */
const LARGEST_DECIMAL_RATING = 10;
/** Fewer rows than this say little about how values are spread. */
const FEW_ROWS = 20;

/** Amazon's user ids and product codes, of which a book's is its ISBN. */
const PRODUCT_CODE = /^(B[0-9A-Z]{9}|\d{9}[\dX])$/;
const REVIEWER_CODE = /^A[0-9A-Z]{8,20}$/;

export type Plausible = { readonly assignments: readonly Assignment[] } | { readonly unclear: string };

/**
 * Parts by what the cells look like, for a file without names: times are what lies between 1990 and tomorrow, a rating
 * has few values on a short scale, ids are the rest. What could be read in two ways is not decided.
 *
 * @param columns facts of the columns that have no part yet; null for the others
 * @param wanted parts that are still open
 */
export function plausibleRoles(
  columns: readonly (ColumnFacts | null)[],
  wanted: ReadonlySet<Role>,
): Plausible {
  const open = new Map<number, ColumnFacts>();
  for (const [column, facts] of columns.entries()) if (facts !== null) open.set(column, facts);
  const assignments: Assignment[] = [];
  const give = (role: Role, column: number, why: string): void => {
    assignments.push({ role, column, why });
    open.delete(column);
  };

  if (wanted.has("time")) {
    const times = timeColumns(open);
    if (times.length > 1) return { unclear: `columns ${numbered(times)} could all be the time` };
    if (times.length === 1) give("time", times[0], "its cells are times between 1990 and now");
  }
  if (wanted.has("type")) {
    const [column] = [...open].find(([, facts]) => facts.eventTypes && facts.distinct > 1) ?? [];
    if (column !== undefined) give("type", column, "its cells are kinds of events");
  }
  const typed = assignments.some(({ role }) => role === "type");
  for (const [column, { distinct, rows }] of open) if (distinct <= 1 && rows > 2) open.delete(column);
  const idsWanted = [...wanted].filter((role) => role === "user" || role === "item").length;
  if (wanted.has("rating") && !typed) {
    const column = ratingColumn(open, idsWanted);
    if (column !== null) {
      const { minimum, maximum, distinct } = open.get(column) as ColumnFacts;
      give("rating", column, `its cells are ${distinct} different numbers from ${minimum} to ${maximum}`);
    }
  }
  const ids = [...open].filter(([, facts]) => !facts.numeric || facts.whole);
  const unclear = giveIds(ids, wanted, give);
  return unclear === null ? { assignments } : { unclear };
}

const numbered = (columns: readonly number[]): string => columns.map((column) => column + 1).join(" and ");

/** Dates in words say so by themselves; numbers only where no such column is. */
function timeColumns(open: ReadonlyMap<number, ColumnFacts>): number[] {
  const likely = [...open].filter(([, facts]) => facts.timeLike);
  const written = likely.filter(([, facts]) => !facts.numeric);
  return (written.length > 0 ? written : likely).map(([column]) => column);
}

/** The one with the fewest values on a short scale, as long as enough columns stay for the ids. */
function ratingColumn(open: ReadonlyMap<number, ColumnFacts>, idsWanted: number): number | null {
  if (open.size <= idsWanted) return null;
  let best: number | null = null;
  for (const [column, facts] of open) {
    const { numeric, whole, minimum, maximum, distinct, topShare, rows } = facts;
    const limit = whole ? LARGEST_RATING : LARGEST_DECIMAL_RATING;
    if (!numeric || minimum < -limit || maximum > limit || (distinct === 1 && rows > 1)) continue;
    if (rows >= FEW_ROWS && (topShare > NEARLY_ALL || (whole && distinct > mostRatings(rows)))) continue;
    const other = best === null ? null : (open.get(best) as ColumnFacts);
    // An id has no decimals, so what has some comes first.
    if (other === null || (whole === other.whole ? distinct <= other.distinct : !whole)) best = column;
  }
  return best;
}

const mostRatings = (rows: number): number =>
  Math.min(MOST_DIFFERENT_RATINGS, Math.max(USUAL_SCALE, rows / ROWS_A_RATING));

function giveIds(
  found: readonly (readonly [number, ColumnFacts])[],
  wanted: ReadonlySet<Role>,
  give: (role: Role, column: number, why: string) => void,
): string | null {
  const words = found.filter(([, facts]) => facts.wordy);
  let plain = found.filter(([, facts]) => !facts.wordy);
  // Two columns of codes beside a column of numbers: what is counted.
  const codes = plain.filter(([, facts]) => !facts.numeric);
  const numbers = plain.filter(([, facts]) => facts.numeric);
  if (codes.length === 2 && numbers.length === 1 && wanted.has("weight") && numbers[0][1].minimum >= 0) {
    const [[column, { minimum, maximum }]] = numbers;
    give(
      "weight",
      column,
      `its cells are numbers from ${minimum} to ${maximum} beside two columns of codes: how often`,
    );
    plain = codes;
  }
  const missing = (["user", "item"] as const).filter((role) => wanted.has(role));
  const ids = plain.length >= missing.length ? plain : found;
  if (missing.length === 0) return null;
  if (ids.length < missing.length) return "no two columns could be the ids of users and items";
  if (ids.length > missing.length)
    return `columns ${numbered(ids.map(([column]) => column))} could all be ids`;
  if (plain.length >= missing.length && wanted.has("title") && words.length === 1) {
    give("title", words[0][0], "its cells are words beside two columns of ids");
  }
  if (missing.length === 1) {
    give(missing[0], ids[0][0], "it is the one column of ids left");
    return null;
  }
  const [[first, a], [second, b]] = ids;
  const itemFirst = looks(a, PRODUCT_CODE) && looks(b, REVIEWER_CODE);
  if (itemFirst || (looks(a, REVIEWER_CODE) && looks(b, PRODUCT_CODE))) {
    give("user", itemFirst ? second : first, "its cells look like the codes of reviewers");
    give("item", itemFirst ? first : second, "its cells look like product codes");
  } else if (b.wordy !== a.wordy) {
    give("user", a.wordy ? second : first, "its cells are ids");
    give("item", a.wordy ? first : second, "its cells are names, which stand in for ids");
  } else {
    const swap = `; if they are the other way round, say --columns user=${second + 1},item=${first + 1}`;
    give("user", first, `of the two columns of ids it stands first, as is usual${swap}`);
    give("item", second, "of the two columns of ids it stands second, as is usual");
  }
  return null;
}

const looks = (facts: ColumnFacts, code: RegExp): boolean =>
  facts.examples.length > 0 && facts.examples.every((cell) => code.test(cell));
