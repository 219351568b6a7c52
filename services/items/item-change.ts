import Type, { type Static } from "typebox";
import type { AttributeValue } from "../../models/data/interaction-log.ts";
import { PhasewiseError } from "../errors.ts";

const MAX_ATTRIBUTES = 64;

const Attribute = Type.Union(
  [
    Type.String({ maxLength: 1000 }),
    Type.Number(),
    Type.Boolean(),
    Type.Array(Type.String({ maxLength: 200 }), { maxItems: 100 }),
    Type.Null(),
  ],
  { description: "a text, a number, true or false, a list of texts, or null to remove it" },
);

const Moment = Type.Union(
  [
    Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 }),
    Type.String({
      pattern: "^\\d{4}-\\d\\d-\\d\\d([T ]\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:?\\d\\d)?)?$",
    }),
    Type.Null(),
  ],
  {
    description:
      "a time in epoch milliseconds, or in ISO 8601 such as 2024-05-01T10:00:00Z; null for no such bound",
  },
);

/** What a client says of an item; what it leaves out stays as it is. */
export const ItemChangeBody = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 1000, description: "the item's title" })),
    genres: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 50,
        description: "the item's genres",
      }),
    ),
    year: Type.Optional(Type.Integer({ minimum: -5000, maximum: 3000, description: "the year it appeared" })),
    attributes: Type.Optional(
      // Names may not begin with "_": __proto__ is none.
      Type.Record(Type.String({ pattern: "^[^\\u0000-\\u0020_][^\\u0000-\\u001f]{0,63}$" }), Attribute, {
        maxProperties: MAX_ATTRIBUTES,
        additionalProperties: false,
        description: `whatever else there is to say, at most ${MAX_ATTRIBUTES} by names of up to 64 letters; the others stay`,
      }),
    ),
    available: Type.Optional(
      Type.Boolean({ description: "false to keep the item out of every list, true to let it back in" }),
    ),
    availableFrom: Type.Optional(Moment),
    availableUntil: Type.Optional(Moment),
  },
  { additionalProperties: false },
);
export type ItemChangeBody = Readonly<Static<typeof ItemChangeBody>>;

/** What was said of an item since the import, as it is kept. */
export interface ItemChange {
  readonly title?: string;
  readonly genres?: readonly string[];
  readonly year?: number;
  /** Null removes what the import said. */
  readonly attributes?: Readonly<Record<string, AttributeValue | null>>;
  readonly available?: boolean;
  /** Epoch milliseconds; null for no such bound. */
  readonly availableFrom?: number | null;
  readonly availableUntil?: number | null;
}

/** @throws BAD_REQUEST naming the field when a time is none, or looks like seconds */
export function itemChange(
  { availableFrom, availableUntil, ...said }: ItemChangeBody,
  place: string,
): ItemChange {
  return {
    ...said,
    ...(availableFrom === undefined
      ? {}
      : { availableFrom: moment(availableFrom, `${place}.availableFrom`) }),
    ...(availableUntil === undefined
      ? {}
      : { availableUntil: moment(availableUntil, `${place}.availableUntil`) }),
  };
}

/** Epoch seconds stay below this until the year 5138; epoch milliseconds passed it in March 1973. */
const FIRST_MILLISECONDS = 1e11;

function moment(given: number | string | null, field: string): number | null {
  if (given === null) return null;
  const refuse = (hint: string): never => {
    throw new PhasewiseError("BAD_REQUEST", `${field}: expected a time that exists, got ${given}; ${hint}`, {
      field,
    });
  };
  if (typeof given === "number") {
    return given >= FIRST_MILLISECONDS
      ? given
      : refuse(`it looks like seconds: send ${given}000, or ISO 8601`);
  }
  const zoned = given.length === 10 || /(Z|[+-]\d\d:?\d\d)$/.test(given);
  const time = Date.parse(zoned ? given : `${given.replace(" ", "T")}Z`);
  return Number.isNaN(time) ? refuse("correct it") : time;
}

/** One said after the other of the same item. */
export function both(before: ItemChange, after: ItemChange): ItemChange {
  if (before.attributes === undefined || after.attributes === undefined) return { ...before, ...after };
  return { ...before, ...after, attributes: { ...before.attributes, ...after.attributes } };
}
