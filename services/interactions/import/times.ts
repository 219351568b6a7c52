import { PhasewiseError } from "../../errors.ts";
import { isNothing, numberAt, numberOf } from "./numbers.ts";

/** How the times of a column are written. */
export interface TimeFormat {
  /** For people, and for `--dates`. */
  readonly name: string;
  /** Epoch milliseconds of a cell; NaN when it is no time. A time without an offset is UTC. */
  readonly at: (bytes: Buffer, from: number, to: number) => number;
}

const MS_PER_UNIT = {
  "unix-s": 1000,
  "unix-ms": 1,
  "unix-us": 1e-3,
  "unix-ns": 1e-6,
  "unix-days": 86_400_000,
} as const;
type Unit = keyof typeof MS_PER_UNIT;
/** Largest number of each unit before the next one is likelier: seconds reach 1e11 in 5138, milliseconds in 1973. */
const UNIT_BELOW: readonly (readonly [number, Unit])[] = [
  [1e11, "unix-s"],
  [1e14, "unix-ms"],
  [1e17, "unix-us"],
  [Number.POSITIVE_INFINITY, "unix-ns"],
];

const unitFormat = (unit: Unit, decimalComma: boolean): TimeFormat => {
  const factor = MS_PER_UNIT[unit];
  return { name: unit, at: (bytes, from, to) => numberAt(bytes, from, to, decimalComma) * factor };
};

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  offsetMinutes: number;
}

function epochOf(parts: Parts): number {
  const { year, month, day, hour, minute, second, ms, offsetMinutes } = parts;
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 24 && minute < 60 && second < 61)) {
    return Number.NaN;
  }
  const time = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  // The 31st of a shorter month would become the first of the next one.
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return Number.NaN;
  return time - offsetMinutes * 60_000;
}

const TOKENS = "YYYY|YY|MMM|MM|M|DD|D|HH|H|hh|h|mm|ss|SSS|A|Z";
const PATTERN_OF: Readonly<Record<string, string>> = {
  YYYY: "(?<year>\\d{4})",
  YY: "(?<shortYear>\\d{2})",
  MMM: "(?<monthName>[A-Za-zéûä]{3,9})\\.?",
  MM: "(?<month>\\d{1,2})",
  M: "(?<month>\\d{1,2})",
  DD: "(?<day>\\d{1,2})",
  D: "(?<day>\\d{1,2})",
  HH: "(?<hour>\\d{1,2})",
  H: "(?<hour>\\d{1,2})",
  hh: "(?<hour>\\d{1,2})",
  h: "(?<hour>\\d{1,2})",
  mm: "(?<minute>\\d{2})",
  ss: "(?<second>\\d{2})",
  SSS: "(?<fraction>\\d{1,9})",
  A: "(?<half>[AaPp])\\.?[Mm]\\.?",
  Z: "(?<zone>Z|z|UTC|GMT|[+-]\\d{2}:?\\d{2}|[+-]\\d{2})",
};

/** A date pattern of YYYY MM DD HH mm ss SSS A Z, brackets around what may be left out. */
export function patternFormat(pattern: string, name = pattern): TimeFormat {
  const body = pattern
    .split(new RegExp(`(${TOKENS}|\\[|\\])`))
    .map((part) =>
      part === "["
        ? "(?:"
        : part === "]"
          ? ")?"
          : (PATTERN_OF[part] ?? part.replaceAll(/[.*+?^${}()|\\/]/g, "\\$&").replaceAll(" ", "\\s+")),
    )
    .join("");
  const matcher = new RegExp(`^\\s*${body}\\s*$`);
  const at = (text: string): number => {
    const found = matcher.exec(text)?.groups;
    return found === undefined ? Number.NaN : epochOf(partsOf(found));
  };
  return { name, at: (bytes, from, to) => at(bytes.toString("utf8", from, to)) };
}

function partsOf(found: Readonly<Record<string, string | undefined>>): Parts {
  const number = (name: string, otherwise: number): number =>
    found[name] === undefined ? otherwise : Number(found[name]);
  const short = number("shortYear", 0);
  const half = found.half?.toLowerCase();
  const hour = number("hour", 0);
  return {
    year: number("year", short < 70 ? 2000 + short : 1900 + short),
    month:
      found.monthName === undefined
        ? number("month", 1)
        : MONTHS.indexOf(found.monthName.slice(0, 3).toLowerCase()) + 1,
    day: number("day", 1),
    hour: half === undefined ? hour : (hour % 12) + (half === "p" ? 12 : 0),
    minute: number("minute", 0),
    second: number("second", 0),
    ms: found.fraction === undefined ? 0 : Math.floor(Number(`0.${found.fraction}`) * 1000 + 1e-9),
    offsetMinutes: offsetOf(found.zone),
  };
}

function offsetOf(zone: string | undefined): number {
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? "");
  if (found === null) return 0;
  return (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3] ?? 0));
}

const slow = patternFormat("YYYY-MM-DD[T][ ][HH:mm[:ss[.SSS]][ ][Z]]");
const digitAt = (bytes: Buffer, at: number): number => bytes[at] - 48;

/** 2014-04-07, 2014-04-07 10:51[:09[.277]][Z|+02:00]: the usual one is read without a regular expression. */
const ISO: TimeFormat = {
  name: "YYYY-MM-DD HH:mm:ss",
  at(bytes, from, to) {
    const length = to - from;
    if (length !== 10 && length !== 19) return slow.at(bytes, from, to);
    const two = (at: number): number => digitAt(bytes, from + at) * 10 + digitAt(bytes, from + at + 1);
    const digits =
      length === 10 ? [0, 1, 2, 3, 5, 6, 8, 9] : [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18];
    for (const place of digits) {
      const digit = digitAt(bytes, from + place);
      if (!(digit >= 0 && digit <= 9)) return slow.at(bytes, from, to);
    }
    if (bytes[from + 4] !== 45 || bytes[from + 7] !== 45) return slow.at(bytes, from, to);
    const timed = length === 19;
    return epochOf({
      year: two(0) * 100 + two(2),
      month: two(5),
      day: two(8),
      hour: timed ? two(11) : 0,
      minute: timed ? two(14) : 0,
      second: timed ? two(17) : 0,
      ms: 0,
      offsetMinutes: 0,
    });
  },
};

const CLOCK = "[HH:mm[:ss[.SSS]]][ ][A][ ][Z]";
/** Dates that say by themselves which part is which. */
const CLEAR: readonly TimeFormat[] = [
  ISO,
  patternFormat(`YYYY/MM/DD[ ]${CLOCK}`, "YYYY/MM/DD HH:mm:ss"),
  patternFormat(`YYYY.MM.DD[ ]${CLOCK}`, "YYYY.MM.DD HH:mm:ss"),
  patternFormat(`DD.MM.YYYY[,][ ]${CLOCK}`, "DD.MM.YYYY HH:mm:ss"),
  patternFormat(`MMM D[,] YYYY[,][ ]${CLOCK}`, "MMM D YYYY HH:mm:ss"),
  patternFormat(`D MMM[,] YYYY[,][ ]${CLOCK}`, "D MMM YYYY HH:mm:ss"),
  patternFormat(`D-MMM-YYYY[ ]${CLOCK}`, "D-MMM-YYYY HH:mm:ss"),
  patternFormat("MM D[,] YYYY", "MM D, YYYY"),
  // RFC 2822 and the habits of programs: "Mon, 07 Apr 2014 10:51:09 GMT", "Mon Apr 07 10:51:09 +0000 2014"
  { name: "Mon, 07 Apr 2014 10:51:09", at: (bytes, from, to) => wordy(bytes.toString("utf8", from, to)) },
];
const DAY_FIRST = patternFormat(`DD/MM/YYYY[,][ ]${CLOCK}`, "DD/MM/YYYY HH:mm:ss");
const MONTH_FIRST = patternFormat(`MM/DD/YYYY[,][ ]${CLOCK}`, "MM/DD/YYYY HH:mm:ss");
const COMPACT = patternFormat("YYYYMMDD");

function wordy(text: string): number {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? .*\d{4}/.test(text)) return Number.NaN;
  return Date.parse(/(Z|GMT|UTC|[+-]\d{2}:?\d{2})/.test(text) ? text : `${text} UTC`);
}

const NAMED: ReadonlyMap<string, TimeFormat> = new Map([["iso", ISO]]);

/**
 * The format that the user named: iso, unix-s, unix-ms, unix-us, unix-ns, unix-days, or a pattern. @throws INVALID_DATA
 */
export function namedTimeFormat(name: string, decimalComma: boolean): TimeFormat {
  const known = NAMED.get(name.toLowerCase());
  if (known !== undefined) return known;
  if (Object.hasOwn(MS_PER_UNIT, name)) return unitFormat(name as Unit, decimalComma);
  if (/YY/.test(name) && /M/.test(name) && /D/.test(name)) return patternFormat(name);
  throw new PhasewiseError(
    "INVALID_DATA",
    `--dates: expected iso, ${Object.keys(MS_PER_UNIT).join(", ")} or a pattern such as DD.MM.YYYY HH:mm, got "${name}"; correct it`,
    { dates: name },
  );
}

/** Share of the cells that a format must read. */
const SHARE_READ = 0.95;

/**
 * The format that reads the cells of a sample; null when none does, "ambiguous" when day and month could stand either
 * way round in every cell.
 */
export function timeFormatOf(
  cells: readonly string[],
  decimalComma: boolean,
): TimeFormat | "ambiguous" | null {
  const present = cells.filter((cell) => !isNothing(cell));
  if (present.length === 0) return null;
  const numbers = present.map((cell) => numberOf(cell, decimalComma)).filter((value) => !Number.isNaN(value));
  if (numbers.length >= SHARE_READ * present.length) return numericFormat(numbers, present, decimalComma);
  const readBy = (format: TimeFormat): number =>
    present.filter((cell) => {
      const bytes = Buffer.from(cell);
      return !Number.isNaN(format.at(bytes, 0, bytes.length));
    }).length;
  const enough = (format: TimeFormat): boolean => readBy(format) >= SHARE_READ * present.length;
  const clear = CLEAR.find(enough);
  if (clear !== undefined) return clear;
  const [byDay, byMonth] = [readBy(DAY_FIRST), readBy(MONTH_FIRST)];
  if (Math.max(byDay, byMonth) < SHARE_READ * present.length) return null;
  if (byDay === byMonth) return "ambiguous";
  return byDay > byMonth ? DAY_FIRST : MONTH_FIRST;
}

function numericFormat(
  numbers: readonly number[],
  cells: readonly string[],
  decimalComma: boolean,
): TimeFormat {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  const compact = cells.every((cell) => /^(19|20)\d{6}$/.test(cell.trim()));
  if (compact) return COMPACT;
  const [, unit] = UNIT_BELOW.find(([below]) => middle < below) ?? UNIT_BELOW[0];
  return unitFormat(unit, decimalComma);
}
