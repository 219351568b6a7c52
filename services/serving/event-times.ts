import { PhasewiseError } from "../errors.ts";

/** Clocks differ a little; an event further ahead than this is a mistake in units or a broken clock. */
const MAX_AHEAD_MS = 5 * 60_000;
/** Below this a number is a place in an order without times, as an import without times gives its events. */
const LARGEST_PLACE = 1e8;
/** Epoch seconds stay below this until the year 5138; epoch milliseconds passed it in March 1973. */
const FIRST_MILLISECONDS = 1e11;
/** In milliseconds, the same for microseconds. */
const FIRST_MICROSECONDS = 1e14;
const EARLIEST = Date.UTC(1980, 0, 1);

/**
 * Epoch milliseconds of a time as a client wrote it; one without an offset is UTC.
 * @throws BAD_REQUEST with the hint, when it is in other units, in the future, or older than any service
 */
export function eventTime(
  given: number | string | undefined,
  now: number,
  field: string,
): number | undefined {
  if (given === undefined) return undefined;
  const refuse = (expected: string, hint: string): never => {
    throw new PhasewiseError("BAD_REQUEST", `${field}: expected ${expected}, got ${given}; ${hint}`, {
      field,
    });
  };
  if (typeof given === "string") {
    const time = Date.parse(
      /(Z|[+-]\d\d:?\d\d)$/.test(given) || given.length === 10 ? given : `${given.replace(" ", "T")}Z`,
    );
    if (Number.isNaN(time) || !isDay(given)) refuse("a time that exists", "correct it");
    if (time < EARLIEST) refuse("a time after 1980", "no service has events so old: correct it");
    if (time > now + MAX_AHEAD_MS) refuse("a time that has come", "is the clock, or the offset, right?");
    return time;
  }
  if (given >= LARGEST_PLACE && given < FIRST_MILLISECONDS) {
    refuse("epoch milliseconds", `it looks like seconds: send ${given}000, or ISO 8601`);
  }
  if (given >= LARGEST_PLACE && given < EARLIEST)
    refuse("a time after 1980", "no service has events so old: correct it");
  if (given > now + MAX_AHEAD_MS) {
    const hint =
      given >= FIRST_MICROSECONDS ? "it looks like microseconds: divide by 1000" : "is it in milliseconds?";
    refuse(`a time at most 5 minutes ahead of the server's ${now}`, hint);
  }
  return given;
}

/** The 31st of a shorter month would become the first of the next one. */
const isDay = (text: string): boolean => {
  const [year, month, day] = text.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
};
