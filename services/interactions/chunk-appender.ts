import type { DuckDBDataChunk, DuckDBVector } from "@duckdb/node-api";
import type { EventColumns } from "../../models/data/event-columns.ts";
import type { IdInterner } from "./id-interner.ts";
import type { RefusedRow } from "./refused-rows.ts";
import type { RejectionKind } from "./rejections.ts";
import type { InteractionTable } from "./table.ts";
import { numbersOf } from "./vector-numbers.ts";

/** Writes the dense index of each id of a vector, or -1 where it is empty or no whole number. */
export type IdReader = (vector: DuckDBVector, rows: number, out: Int32Array) => void;

export function integerReader(interner: IdInterner<number>): IdReader {
  return (vector, rows, out) => {
    const values = numbersOf(vector);
    for (let row = 0; row < rows; row++) {
      const value = values[row];
      out[row] = value >= 0 && Number.isSafeInteger(value) ? interner.indexOf(value) : -1;
    }
  };
}

export function textReader(interner: IdInterner<string>): IdReader {
  return (vector, rows, out) => {
    for (let row = 0; row < rows; row++) {
      const value = vector.getItem(row);
      out[row] = typeof value === "string" && value !== "" ? interner.indexOf(value) : -1;
    }
  };
}

/** Copies chunks into event columns; rows that cannot be used are set aside with the reason. */
export class ChunkAppender {
  readonly refused: RefusedRow[] = [];
  readonly #table: InteractionTable;
  readonly #latest: number;
  readonly #readUser: IdReader;
  readonly #readItem: IdReader;
  #users = new Int32Array(2048);
  #items = new Int32Array(2048);

  constructor(table: InteractionTable, latest: number, readUser: IdReader, readItem: IdReader) {
    this.#table = table;
    this.#latest = latest;
    this.#readUser = readUser;
    this.#readItem = readItem;
  }

  append(chunk: DuckDBDataChunk, rowsBefore: number, columns: EventColumns): void {
    const rows = chunk.rowCount;
    if (rows > this.#users.length) {
      this.#users = new Int32Array(rows);
      this.#items = new Int32Array(rows);
    }
    const users = this.#users;
    const items = this.#items;
    this.#readUser(chunk.getColumnVector(0), rows, users);
    this.#readItem(chunk.getColumnVector(1), rows, items);
    const weights = numbersOf(chunk.getColumnVector(2));
    const times = numbersOf(chunk.getColumnVector(3));
    const untimed = this.#table.roles.timestamp === undefined;
    let slot = columns.length;
    for (let row = 0; row < rows; row++) {
      // Without times the file's order stands in for them.
      const time = untimed ? rowsBefore + row : times[row];
      if (
        users[row] < 0 ||
        items[row] < 0 ||
        !Number.isFinite(weights[row]) ||
        !(time >= 0 && time <= this.#latest)
      ) {
        this.#refuse(chunk, row, rowsBefore + row, time);
        continue;
      }
      columns.userIndex[slot] = users[row];
      columns.itemIndex[slot] = items[row];
      columns.weights[slot] = weights[row];
      columns.timestamps[slot] = Math.round(time);
      slot++;
    }
    columns.length = slot;
  }

  #refuse(chunk: DuckDBDataChunk, row: number, position: number, time: number): void {
    const { user, item, rating, timestamp } = this.#table.roles;
    const add = (kind: RejectionKind, column: string, value: string): void => {
      this.refused.push({ row: position, kind, column, value });
    };
    const cell = (index: number): string => String(chunk.getColumnVector(index).getItem(row));
    const badId = this.#users[row] < 0 ? 0 : this.#items[row] < 0 ? 1 : -1;
    if (badId >= 0) {
      const value = cell(badId);
      const missing = value === "NaN" || value === "";
      add(missing ? "missing" : "not-a-number", badId === 0 ? user : item, missing ? "" : value);
    } else if (!Number.isFinite(numbersOf(chunk.getColumnVector(2))[row])) {
      add("rating-not-finite", rating ?? "rating", cell(2));
    } else {
      const shown = Number.isNaN(time) ? "not a time" : describeTime(time);
      add("time-out-of-range", timestamp ?? "timestamp", shown);
    }
  }
}

const describeTime = (time: number): string =>
  Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : `${time} ms`;
