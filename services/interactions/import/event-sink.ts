import { type EventColumns, emptyColumns, reserve } from "../../../models/data/event-columns.ts";
import { type EventRules, ratingStrength } from "../../../models/data/event-rules.ts";
import { eventTypeOf } from "../../../models/data/event-types.ts";
import type { Columns } from "./columns.ts";
import { EMPTY, IdInterner } from "./id-interner.ts";
import { isNothing, numberAt } from "./numbers.ts";
import { minusOneMeansUnrated, type RatingSummary } from "./rating-rule.ts";
import type { Rejections } from "./rejections.ts";

/** One row of any format: cell c is `bytes[starts[c]…ends[c]]`, `escaped` where only `text(c)` tells what it says. */
export interface Row {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly escaped: Uint8Array;
  readonly line: number;
  text(cell: number): string;
}

export interface SinkOptions {
  /** Epoch milliseconds; later events are out of range. */
  readonly latest: number;
  readonly estimatedRows: number;
  /** Weights of events without a rating, by type. */
  readonly weights: Readonly<Record<string, number>>;
  /** What ratings mean. */
  readonly scale: EventRules["ratings"];
}

const ROOM = 4096;
/** An event without a rating, or one rated "seen, not rated". */
const UNRATED = 1;

/** Turns rows into event columns; those that cannot be used are set aside with the reason. */
export class EventSink {
  readonly events: EventColumns;
  readonly users: IdInterner;
  readonly items: IdInterner;
  /** Titles that stand beside the events, by item index. */
  readonly titles: string[] = [];
  /** Rows seen, used or not. */
  rows = 0;
  /** Rows whose item has no id, but a title, which stands in for it. */
  namedByTitle = 0;
  /** Names of types that are no event's, with their number. */
  readonly unknownTypes = new Map<string, number>();
  /** Whether any rating above zero weighs what it says. */
  readonly #plain: boolean;
  readonly #columns: Columns;
  readonly #places: Columns["places"];
  readonly #rejections: Rejections;
  readonly #options: SinkOptions;
  readonly #weights = new Map<string, number | undefined>();
  readonly #summary = { minimum: Infinity, maximum: -Infinity, minusOnes: 0, otherNegatives: 0, zeros: 0 };

  constructor(columns: Columns, rejections: Rejections, options: SinkOptions) {
    this.events = emptyColumns(Math.ceil(options.estimatedRows) + ROOM);
    this.users = new IdInterner(columns.wholeFloats.user);
    this.items = new IdInterner(columns.wholeFloats.item);
    const { likedFrom, unrated, minimum, maximum } = options.scale;
    this.#plain =
      likedFrom === null && unrated.every((rating) => rating <= 0) && minimum <= 0 && maximum >= 1e6;
    this.#columns = columns;
    this.#places = columns.places;
    this.#rejections = rejections;
    this.#options = options;
  }

  add(row: Row): void {
    const { user, item, rating, time, type, weight, title } = this.#places;
    const events = this.events;
    if (events.length === events.userIndex.length) reserve(events, ROOM);
    const position = this.rows++;
    const userIndex = this.#idAt(row, user as number, this.users);
    let itemIndex = this.#idAt(row, item as number, this.items);
    if (itemIndex === EMPTY && title !== undefined) {
      itemIndex = this.#idAt(row, title, this.items);
      if (itemIndex >= 0) this.namedByTitle++;
    }
    if (userIndex < 0 || itemIndex < 0) {
      this.#refuseId(row, userIndex, itemIndex);
      return;
    }
    const strength = this.#strengthOf(row, rating ?? weight, type);
    if (Number.isNaN(strength)) return;
    // Without times the file's order stands in for them.
    const at = time === undefined ? position : this.#timeOf(row, time);
    if (Number.isNaN(at)) return;
    const slot = events.length++;
    events.userIndex[slot] = userIndex;
    events.itemIndex[slot] = itemIndex;
    events.weights[slot] = strength;
    events.timestamps[slot] = at;
    if (title !== undefined && this.titles[itemIndex] === undefined) this.titles[itemIndex] = row.text(title);
  }

  #idAt(row: Row, cell: number, interner: IdInterner): number {
    if (row.escaped[cell] === 0) return interner.indexOf(row.bytes, row.starts[cell], row.ends[cell]);
    const bytes = Buffer.from(row.text(cell));
    return interner.indexOf(bytes, 0, bytes.length);
  }

  #refuseId(row: Row, user: number, item: number): void {
    const { places } = this.#columns;
    const cell = (user < 0 ? places.user : places.item) as number;
    const kind = (user < 0 ? user : item) === EMPTY ? "missing" : "id-too-long";
    this.#refuse(kind, row, cell);
  }

  #refuse(kind: Parameters<Rejections["add"]>[0], row: Row, cell: number, shown?: string): void {
    this.#rejections.add(kind, row.line, this.#columns.names[cell], shown ?? row.text(cell).slice(0, 100));
  }

  #strengthOf(row: Row, rated: number | undefined, type: number | undefined): number {
    const base = type === undefined ? UNRATED : this.#typeWeight(row, type);
    if (base === undefined) {
      this.#refuse("unknown-type", row, type as number);
      return Number.NaN;
    }
    if (rated === undefined || base <= 0) return base;
    const rating = numberAt(row.bytes, row.starts[rated], row.ends[rated], this.#columns.decimalComma);
    if (!Number.isFinite(rating) || Math.abs(rating) > 1e6) {
      // Kinds of events beside the ratings: most rows then have none.
      if (type !== undefined && isNothing(row.text(rated))) return base;
      this.#refuse("no-rating", row, rated);
      return Number.NaN;
    }
    const summary = this.#summary;
    if (rating < summary.minimum) summary.minimum = rating;
    if (rating > summary.maximum) summary.maximum = rating;
    if (rating <= 0) {
      if (rating === 0) summary.zeros++;
      else if (rating === -1) summary.minusOnes++;
      else summary.otherNegatives++;
    } else if (this.#plain) return rating;
    const { scale } = this.#options;
    if (rating >= scale.minimum && rating <= scale.maximum) return ratingStrength(rating, UNRATED, scale);
    this.#refuse("rating-off-scale", row, rated);
    return Number.NaN;
  }

  #typeWeight(row: Row, cell: number): number | undefined {
    const name = row.text(cell).trim();
    if (!this.#weights.has(name)) {
      const known = eventTypeOf(name, this.#options.weights);
      this.#weights.set(name, known === undefined ? undefined : this.#options.weights[known]);
    }
    const weight = this.#weights.get(name);
    if (weight === undefined) this.unknownTypes.set(name, (this.unknownTypes.get(name) ?? 0) + 1);
    return weight;
  }

  #timeOf(row: Row, cell: number): number {
    const format = this.#columns.timeFormat;
    const time =
      format === null ? Number.NaN : Math.round(format.at(row.bytes, row.starts[cell], row.ends[cell]));
    if (time >= 0 && time <= this.#options.latest) return time;
    const written = row.text(cell);
    if (Number.isNaN(time)) this.#refuse("no-time", row, cell);
    else this.#refuse("time-out-of-range", row, cell, `${written.slice(0, 40)} is ${describeTime(time)}`);
    return Number.NaN;
  }

  /** Weights by type as they were met: the name in the file and what it counts as. */
  get typesMet(): ReadonlyMap<string, number | undefined> {
    return this.#weights;
  }

  /** Null when no row was rated. */
  get ratings(): RatingSummary | null {
    return this.#summary.minimum === Infinity ? null : this.#summary;
  }

  /** Once all rows are in: what -1 means is known only then. */
  settleRatings(): void {
    if (this.ratings === null || !minusOneMeansUnrated(this.ratings)) return;
    const { weights, length } = this.events;
    for (let event = 0; event < length; event++) if (weights[event] === -1) weights[event] = UNRATED;
  }
}

const describeTime = (time: number): string =>
  Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : `${time} ms`;
