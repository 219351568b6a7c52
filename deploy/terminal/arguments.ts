import { InvalidArgumentError } from "commander";

/** Each reads one argument of a command line, or says what it expected and what it got. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError(`expected a whole number, got ${text}`);
}

/** A part of the whole that is neither nothing nor all. */
export function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError(`expected a share between 0 and 1, got ${text}`);
}

export function shareFromZero(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value < 1) return value;
  throw new InvalidArgumentError(`expected a share from 0 to below 1, got ${text}`);
}

/** 180d, or 180. */
export function days(text: string): number {
  const value = Number(text.replace(/d(ays)?$/, ""));
  if (value > 0) return value;
  throw new InvalidArgumentError(`expected a number of days such as 180d, got ${text}`);
}

export function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((known) => known === text);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(`expected one of ${values.join(", ")}, got ${text}`);
  };
}

export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below, with what was expected.
  }
  throw new InvalidArgumentError(`expected a JSON object such as '{"neighbours": 100}', got ${text}`);
}
