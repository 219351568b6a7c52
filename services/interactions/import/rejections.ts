import { PhasewiseError } from "../../errors.ts";

export type RejectionKind =
  | "unreadable"
  | "missing"
  | "id-too-long"
  | "no-rating"
  | "rating-off-scale"
  | "no-time"
  | "time-out-of-range"
  | "unknown-type"
  | "duplicate";

/** One rejected row, explained. */
export interface Rejection {
  /** 1-based line (row, in Parquet); 0 where it is not known. */
  readonly line: number;
  readonly column: string;
  readonly value: string;
}

export interface RejectedKind {
  readonly kind: RejectionKind;
  readonly rows: number;
  readonly remedy: string;
  /** The first few. */
  readonly examples: readonly Rejection[];
}

/** Examples kept of each kind. */
const EXAMPLES = 3;

const REMEDY: Readonly<Record<RejectionKind, string>> = {
  unreadable: "give every row the same number of cells, and quote those that hold the delimiter",
  missing: "fill the empty id or drop the row",
  "id-too-long": "ids may have 512 bytes at most: is it the right column?",
  "no-rating": "write the rating as a number, or count every row alike with --columns rating=none",
  "rating-off-scale":
    "ratings have to lie within ratings.minimum and ratings.maximum of the policy: widen the scale there",
  "no-time": "write every time the same way, or name the way with --dates",
  "time-out-of-range": "write times after 1970 and not in the future, or name their unit with --dates",
  "unknown-type":
    "give the type a weight in the policy (events) or in phasewise.import.json, 0 for one that means nothing",
  duplicate: "nothing to do: the same user, item and time is one event, the first row is kept",
};

/** Counts rejected rows by kind and keeps the first examples of each. */
export class Rejections {
  readonly #kinds = new Map<RejectionKind, { rows: number; examples: Rejection[] }>();

  add(kind: RejectionKind, line: number, column: string, value: string): void {
    const known = this.#kinds.get(kind) ?? { rows: 0, examples: [] };
    known.rows++;
    if (known.examples.length < EXAMPLES) known.examples.push({ line, column, value });
    this.#kinds.set(kind, known);
  }

  /** Repeats are found after sorting, where lines are no longer known: the first is named by its content. */
  addDuplicates(rows: number, first: { user: string; item: string; time: number }): void {
    const value = `user ${first.user}, item ${first.item}, ${new Date(first.time).toISOString()}`;
    this.#kinds.set("duplicate", { rows, examples: [{ line: 0, column: "(all)", value }] });
  }

  /** Before everything is read once more. */
  clear(): void {
    this.#kinds.clear();
  }

  /** Rows lost to errors. Duplicates are dropped too, but they are no sign of a broken file. */
  get broken(): number {
    let rows = 0;
    for (const [kind, known] of this.#kinds) if (kind !== "duplicate") rows += known.rows;
    return rows;
  }

  get kinds(): RejectedKind[] {
    return [...this.#kinds].map(([kind, { rows, examples }]) => ({
      kind,
      rows,
      remedy: REMEDY[kind],
      examples,
    }));
  }

  /** Fails when more than `maxShare` of the rows are broken; a single one never fails a file that has others. */
  refuseAbove(maxShare: number, totalRows: number, path: string): void {
    const broken = this.broken;
    const allowed = maxShare === 0 ? 0 : Math.max(Math.min(1, totalRows - 1), maxShare * totalRows);
    if (broken <= allowed) return;
    const worst = this.kinds.filter(({ kind }) => kind !== "duplicate").sort((a, b) => b.rows - a.rows)[0];
    const [example] = worst.examples;
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected at most ${(100 * maxShare).toFixed(1)} % broken rows, got ${broken} of ${totalRows}; ` +
        `most are ${worst.kind}, e.g. line ${example.line}, column ${example.column}: "${example.value}"; ${worst.remedy}`,
      { path, rejected: this.kinds, rows: totalRows },
    );
  }
}

/** One sentence a kind, for a terminal. */
export function explainRejections(kinds: readonly RejectedKind[]): string[] {
  return kinds.map(({ kind, rows, remedy, examples }) => {
    const shown = examples.map(
      ({ line, column, value }) => `${line > 0 ? `line ${line}, ${column}: ` : ""}"${value.slice(0, 60)}"`,
    );
    return `${rows} ${rows === 1 ? "row" : "rows"} ${kind} (${shown.join("; ")}): ${remedy}`;
  });
}
