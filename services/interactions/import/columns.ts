import { PhasewiseError } from "../../errors.ts";
import { type ColumnFacts, describeFacts, factsOf } from "./column-facts.ts";
import { columnByName, isKnownName, normalisedName, ROLES, type Role } from "./column-names.ts";
import type { ImportSettings } from "./import-settings.ts";
import { knownLayout } from "./known-layouts.ts";
import { isNothing, numberOf } from "./numbers.ts";
import { type Assignment, plausibleRoles } from "./plausible-roles.ts";
import { namedTimeFormat, type TimeFormat, timeFormatOf } from "./times.ts";

/** Which column of a table plays which part. */
export interface Columns {
  /** The file's own names, or "column 1", … */
  readonly names: readonly string[];
  readonly headerRows: 0 | 1;
  /** Place of the column of each part. */
  readonly places: Readonly<Partial<Record<Role, number>>>;
  readonly decimalComma: boolean;
  readonly timeFormat: TimeFormat | null;
  /** Every id of the column a whole number with ".0": pandas made floats of integers. */
  readonly wholeFloats: { readonly user: boolean; readonly item: boolean };
  /** A line a column: what it was taken for, and why. */
  readonly explained: readonly string[];
}

export interface Table {
  readonly path: string;
  readonly rows: readonly (readonly string[])[];
  readonly width: number;
  readonly now: number;
  /** For JSON and Parquet, whose columns have names by themselves. */
  readonly names?: readonly string[];
}

/** Names the part of every column: as the user says, else by its name, else by what its cells look like. */
export function columnsOf(table: Table, settings: ImportSettings): Columns {
  const { rows, width } = table;
  const header = table.names !== undefined ? 0 : headerRows(rows, settings);
  const names = table.names ?? namesOf(rows, width, header);
  const body = rows.slice(header).filter((row) => row.length === width);
  const cellsOf = (column: number): string[] => body.map((row) => row[column] ?? "");
  const decimalComma = settings.decimal === null ? hasDecimalComma(body) : settings.decimal === ",";
  const facts = names.map((_, column) => factsOf(cellsOf(column), table.now, decimalComma));

  const assignments = [...chosen(table, names, settings)];
  const none = new Set(ROLES.filter((role) => settings.columns[role] === "none"));
  const taken = (): Set<number> => new Set(assignments.map(({ column }) => column));
  const open = (): Set<Role> =>
    new Set(ROLES.filter((role) => !none.has(role) && !assignments.some((given) => given.role === role)));
  const named = header === 1 || table.names !== undefined;
  if (named) {
    for (const role of open()) {
      const column = columnByName(names, role, taken());
      if (column !== undefined) assignments.push({ role, column, why: "by its name" });
    }
    if (open().has("user") || open().has("item")) throw unnamed(table, names, facts, open());
  } else {
    const layout = knownLayout(table.path, width);
    for (const [column, role] of (layout?.columns ?? []).entries()) {
      if (role !== null && open().has(role) && !taken().has(column)) {
        assignments.push({ role, column, why: `as files of ${layout?.name} have it` });
      }
    }
  }
  if (open().has("user") || open().has("item")) {
    const untaken = taken();
    const free = facts.map((fact, column) => (untaken.has(column) ? null : fact));
    const plausible = plausibleRoles(free, open());
    if ("unclear" in plausible) throw unclear(table, names, facts, plausible.unclear);
    assignments.push(...plausible.assignments);
  }
  return assembled(table, names, header, facts, assignments, decimalComma, settings, cellsOf);
}

function assembled(
  table: Table,
  names: readonly string[],
  header: 0 | 1,
  facts: readonly ColumnFacts[],
  assignments: readonly Assignment[],
  decimalComma: boolean,
  settings: ImportSettings,
  cellsOf: (column: number) => string[],
): Columns {
  const places: Partial<Record<Role, number>> = {};
  for (const { role, column } of assignments) places[role] = column;
  const timeFormat =
    places.time === undefined
      ? null
      : timesOf(table, names[places.time], cellsOf(places.time), settings, decimalComma);
  const floats = (column: number | undefined): boolean => {
    const cells = column === undefined ? [] : cellsOf(column).filter((cell) => !isNothing(cell));
    return cells.length > 0 && cells.every((cell) => /^\s*\d+\.0\s*$/.test(cell));
  };
  const explained = names.map((name, column) => {
    const given = assignments.find((assignment) => assignment.column === column);
    if (given === undefined) return `${name}: not used (${describeFacts(facts[column])})`;
    const format = given.role === "time" && timeFormat !== null ? `, written as ${timeFormat.name}` : "";
    return `${name}: ${given.role}, ${given.why}${format}`;
  });
  const wholeFloats = { user: floats(places.user), item: floats(places.item) };
  return { names, headerRows: header, places, decimalComma, timeFormat, wholeFloats, explained };
}

/** A first row that names columns: it holds known names, or words above columns of numbers. */
function headerRows(rows: readonly (readonly string[])[], settings: ImportSettings): 0 | 1 {
  if (settings.header !== null) return settings.header === "yes" ? 1 : 0;
  const [first, ...below] = rows;
  if (first === undefined) return 0;
  if (
    first.some(
      (cell) => /\d/.test(cell) && (!Number.isNaN(numberOf(cell, false)) || /^\d{4}-\d\d-\d\d/.test(cell)),
    )
  )
    return 0;
  const again = (cell: string, column: number): boolean => below.some((row) => row[column] === cell);
  if (first.some((cell, column) => isKnownName(cell) && !again(cell, column))) return 1;
  const named = new Set(Object.values(settings.columns).filter((column) => typeof column === "string"));
  if (first.some((cell) => named.has(cell))) return 1;
  const numeric = (column: number): boolean =>
    below.length > 0 &&
    below.every((row) => isNothing(row[column] ?? "") || !Number.isNaN(numberOf(row[column] ?? "", false)));
  return first.some((cell, column) => cell.trim() !== "" && numeric(column)) ? 1 : 0;
}

/** Tables written with row names leave their column's name out, or have one name less than columns. */
function namesOf(rows: readonly (readonly string[])[], width: number, header: 0 | 1): string[] {
  const cells = header === 1 ? rows[0].map((cell) => cell.trim()) : [];
  const shifted = cells.length === width - 1 ? ["", ...cells] : cells;
  return Array.from(
    { length: Math.max(width, header === 1 ? shifted.length : 0) },
    (_, column) => shifted[column] || `column ${column + 1}`,
  );
}

/** "3,5" in a column where no cell has a point. */
function hasDecimalComma(body: readonly (readonly string[])[]): boolean {
  const width = body[0]?.length ?? 0;
  for (let column = 0; column < width; column++) {
    const cells = body.map((row) => row[column]).filter((cell) => !isNothing(cell));
    const commas = cells.filter((cell) => /^\s*-?\d+,\d+\s*$/.test(cell)).length;
    if (commas > 0 && cells.every((cell) => /^\s*-?\d+(,\d+)?\s*$/.test(cell))) return true;
  }
  return false;
}

function* chosen(table: Table, names: readonly string[], settings: ImportSettings): Generator<Assignment> {
  for (const role of ROLES) {
    const choice = settings.columns[role];
    if (choice === undefined || choice === "none") continue;
    const exact = names.indexOf(String(choice));
    const similar = names.findIndex((name) => normalisedName(name) === normalisedName(String(choice)));
    const column = typeof choice === "number" && exact < 0 ? choice - 1 : exact >= 0 ? exact : similar;
    if (column < 0 || column >= names.length) {
      throw new PhasewiseError(
        "INVALID_DATA",
        `${table.path}: expected a column ${choice} for the ${role}, got ${names.join(", ")}; correct --columns`,
        { path: table.path, columns: names },
      );
    }
    yield { role, column, why: "as you said" };
  }
}

function timesOf(
  table: Table,
  name: string,
  cells: readonly string[],
  settings: ImportSettings,
  decimalComma: boolean,
): TimeFormat {
  if (settings.dates !== null) return namedTimeFormat(settings.dates, decimalComma);
  const format = timeFormatOf(cells, decimalComma);
  if (format !== null && format !== "ambiguous") return format;
  const got = cells.find((cell) => !isNothing(cell)) ?? "";
  const why =
    format === "ambiguous"
      ? `got dates such as "${got}" whose day and month could stand either way round`
      : `got "${got}"`;
  throw new PhasewiseError(
    "INVALID_DATA",
    `${table.path}: expected times in column ${name}, ${why}; say how they are written, as in --dates DD/MM/YYYY, or --columns time=none to go by the order of the rows`,
    { path: table.path, column: name },
  );
}

const described = (names: readonly string[], facts: readonly ColumnFacts[]): string =>
  names.map((name, column) => `${name} (${describeFacts(facts[column])})`).join("; ");

function unnamed(
  table: Table,
  names: readonly string[],
  facts: readonly ColumnFacts[],
  open: ReadonlySet<Role>,
): PhasewiseError {
  const missing = open.has("user") ? (open.has("item") ? "userId and itemId" : "userId") : "itemId";
  const example = `--columns ${open.has("user") ? "user=NAME" : ""}${open.has("user") && open.has("item") ? "," : ""}${open.has("item") ? "item=NAME" : ""}`;
  return new PhasewiseError(
    "INVALID_DATA",
    `${table.path}: expected a column ${missing}, got ${names.join(", ")}; say which column it is, as in ${example}. ` +
      `The columns hold: ${described(names, facts)}`,
    { path: table.path, columns: names },
  );
}

function unclear(
  table: Table,
  names: readonly string[],
  facts: readonly ColumnFacts[],
  why: string,
): PhasewiseError {
  return new PhasewiseError(
    "INVALID_DATA",
    `${table.path}: expected a header, or columns that show by themselves which is which, got neither: ${why}; ` +
      `name them by number, as in --columns user=1,item=2,time=3. The columns hold: ${described(names, facts)}`,
    { path: table.path, columns: names },
  );
}
