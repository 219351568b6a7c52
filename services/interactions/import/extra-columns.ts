import type { AttributeValue, Availability, ItemInfo } from "../../../models/data/interaction-log.ts";
import { normalisedName } from "./column-names.ts";
import { genresOf } from "./genres.ts";
import { isNothing, numberOf } from "./numbers.ts";
import { type TimeFormat, timeFormatOf } from "./times.ts";

/** Attributes of one table; the rest of its columns stays out. */
const MOST_ATTRIBUTES = 32;
/** A longer cell is a text to read, not an attribute. */
const LONGEST_CELL = 300;
const LONGEST_NAME = 64;
/** Share of the cells that hold "|" where a column holds lists. */
const LISTED_SHARE = 0.1;

const AVAILABLE = ["available", "isavailable"];
const FROM = ["availablefrom", "availabilitystart", "availablesince"];
const UNTIL = ["availableuntil", "availableto", "availabilityend"];

type Kind = "number" | "boolean" | "list" | "text" | "object";

interface Attribute {
  readonly column: number;
  readonly name: string;
  readonly kind: Kind;
}

type Extras = Pick<ItemInfo, "attributes" | "availability">;

/** What a table of items says beyond titles, genres and years: attributes by the names of their columns, and availability. */
export class ExtraColumns {
  readonly #attributes: readonly Attribute[];
  readonly #available: number | undefined;
  readonly #from: TimeColumn | undefined;
  readonly #until: TimeColumn | undefined;
  /** Texts that repeat are kept once. */
  readonly #texts = new Map<string, string>();

  /** @param taken columns that say something else */
  constructor(names: readonly string[], body: readonly (readonly string[])[], taken: ReadonlySet<number>) {
    const cellsOf = (column: number): string[] =>
      body.map((row) => row[column] ?? "").filter((cell) => !isNothing(cell));
    const free = names.map((name, column) => ({ name, column })).filter(({ column }) => !taken.has(column));
    const called = (spellings: readonly string[]): number | undefined =>
      free.find(({ name }) => spellings.includes(normalisedName(name)))?.column;
    this.#available = called(AVAILABLE);
    this.#from = timeColumn(called(FROM), cellsOf);
    this.#until = timeColumn(called(UNTIL), cellsOf);
    const used = [this.#available, this.#from?.column, this.#until?.column];
    this.#attributes = free
      .filter(({ name, column }) => isName(name) && !used.includes(column))
      .map(({ name, column }) => ({ name, column, kind: kindOf(name, cellsOf(column)) }))
      .filter((attribute): attribute is Attribute => attribute.kind !== null)
      .slice(0, MOST_ATTRIBUTES);
  }

  /** For people; null where there is nothing. */
  get explained(): string | null {
    const parts = this.#attributes.map(({ name, kind }) => `${name} (${kind})`);
    const when = [this.#available, this.#from, this.#until].some((column) => column !== undefined);
    const attributes = parts.length === 0 ? [] : [`attributes ${parts.join(", ")}`];
    const all = [...attributes, ...(when ? ["availability"] : [])];
    return all.length === 0 ? null : all.join(", ");
  }

  of(text: (column: number) => string): Extras {
    const attributes = this.#attributesOf(text);
    const availability = this.#availabilityOf(text);
    return {
      ...(attributes === null ? {} : { attributes }),
      ...(availability === null ? {} : { availability }),
    };
  }

  #attributesOf(text: (column: number) => string): Readonly<Record<string, AttributeValue>> | null {
    const found: [string, AttributeValue][] = [];
    for (const { column, name, kind } of this.#attributes) {
      const cell = text(column).trim();
      if (isNothing(cell)) continue;
      if (kind === "object") found.push(...entriesOf(cell));
      else found.push([name, this.#valueOf(kind, cell)]);
    }
    return found.length === 0 ? null : Object.fromEntries(found);
  }

  #valueOf(kind: Kind, cell: string): AttributeValue {
    if (kind === "list") return genresOf(cell).map((entry) => this.#once(entry));
    if (kind === "boolean") return /^true$/i.test(cell);
    const number = kind === "number" ? numberOf(cell, false) : Number.NaN;
    return Number.isNaN(number) ? this.#once(cell.slice(0, LONGEST_CELL)) : number;
  }

  #once(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }

  #availabilityOf(text: (column: number) => string): Availability | null {
    const cell = this.#available === undefined ? "" : text(this.#available).trim();
    const [from, until] = [this.#from?.at(text), this.#until?.at(text)];
    const said = /^(false|0|no|n)$/i.test(cell) ? false : /^(true|1|yes|y)$/i.test(cell) ? true : undefined;
    if (said === undefined && from === undefined && until === undefined) return null;
    return {
      ...(said === undefined ? {} : { available: said }),
      ...(from === undefined ? {} : { from }),
      ...(until === undefined ? {} : { until }),
    };
  }
}

interface TimeColumn {
  readonly column: number;
  at(text: (column: number) => string): number | undefined;
}

function timeColumn(
  column: number | undefined,
  cellsOf: (column: number) => readonly string[],
): TimeColumn | undefined {
  const format: TimeFormat | "ambiguous" | null =
    column === undefined ? null : timeFormatOf(cellsOf(column), false);
  if (column === undefined || format === null || format === "ambiguous") return undefined;
  return {
    column,
    at: (text) => {
      const bytes = Buffer.from(text(column).trim());
      const time = bytes.length === 0 ? Number.NaN : format.at(bytes, 0, bytes.length);
      return Number.isFinite(time) ? Math.round(time) : undefined;
    },
  };
}

/** A column without a name of its own says nothing, and "__proto__" is no name. */
const isName = (name: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
  /^[^\u0000-\u0020_][^\u0000-\u001f]*$/.test(name) &&
  name.length <= LONGEST_NAME &&
  !/^column \d+$/.test(name);

/** Null for a column that holds nothing, or long texts. */
function kindOf(name: string, cells: readonly string[]): Kind | null {
  if (cells.length === 0 || cells.some((cell) => cell.length > LONGEST_CELL && !/^\s*\{/.test(cell)))
    return null;
  const all = (test: (cell: string) => boolean): boolean => cells.every((cell) => test(cell.trim()));
  if (normalisedName(name) === "attributes" && all((cell) => entriesOf(cell).length > 0 || cell === "{}"))
    return "object";
  if (all((cell) => /^(true|false)$/i.test(cell))) return "boolean";
  // "007" is a code.
  if (all((cell) => !Number.isNaN(numberOf(cell, false)) && !/^[-+]?0\d/.test(cell))) return "number";
  if (all((cell) => /^\[.*\]$/s.test(cell))) return "list";
  return cells.filter((cell) => cell.includes("|")).length > LISTED_SHARE * cells.length ? "list" : "text";
}

/** Of a JSON object those entries that are attributes. */
function entriesOf(cell: string): [string, AttributeValue][] {
  let value: unknown;
  try {
    value = JSON.parse(cell);
  } catch {
    return [];
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).filter(
    (entry): entry is [string, AttributeValue] => isName(entry[0]) && isAttribute(entry[1]),
  );
}

const isAttribute = (value: unknown): boolean =>
  typeof value === "string" ||
  typeof value === "number" ||
  typeof value === "boolean" ||
  (Array.isArray(value) && value.every((entry) => typeof entry === "string"));
