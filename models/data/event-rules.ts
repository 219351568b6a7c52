import Type, { type Static } from "typebox";
import { EVENT_WEIGHTS, eventTypeOf } from "./event-types.ts";

/** What events and ratings mean: the same for an import, the API and a replay. */
export const EventRules = Type.Object(
  {
    events: Type.Record(
      Type.String({ pattern: "^[a-z][a-z0-9_-]{0,31}$" }),
      Type.Number({ minimum: -1000, maximum: 1000 }),
      {
        default: {},
        description:
          "Weights of types of events, the site's own beside the usual ones: above 0 interest, 0 exposure, below 0 against.",
      },
    ),
    ratings: Type.Object(
      {
        minimum: Type.Number({ default: -1_000_000, description: "Lowest rating accepted." }),
        maximum: Type.Number({ default: 1_000_000, description: "Highest rating accepted." }),
        likedFrom: Type.Union([Type.Number(), Type.Null()], {
          default: null,
          description: "Ratings below this speak against their item; null for those below zero.",
        }),
        unrated: Type.Array(Type.Number(), {
          default: [0],
          description: 'Ratings that mean "seen, not rated".',
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    unknownItems: Type.Enum(["keep", "refuse"], {
      type: "string",
      default: "keep",
      description: "Feedback on items that the catalogue does not know: kept until it does, or refused.",
    }),
  },
  { additionalProperties: false, default: {} },
);
export type EventRules = Static<typeof EventRules>;

export const DEFAULT_EVENT_RULES: EventRules = {
  events: {},
  ratings: { minimum: -1_000_000, maximum: 1_000_000, likedFrom: null, unrated: [0] },
  unknownItems: "keep",
};

/** Weights of all types: the usual ones, and what the rules add or change. */
export const weightsOf = (rules: Pick<EventRules, "events">): Readonly<Record<string, number>> => ({
  ...EVENT_WEIGHTS,
  ...rules.events,
});

/**
 * Strength of interest that an event stands for: its rating where it has one and its type is one of interest, else the
 * weight of its type. Above zero interest, zero exposure, below zero against. Undefined when nobody knows the type.
 */
export function strengthOf(
  { type, rating }: { readonly type: string; readonly rating?: number | undefined },
  rules: EventRules,
  weights: Readonly<Record<string, number>> = weightsOf(rules),
): number | undefined {
  const known = eventTypeOf(type, weights);
  if (known === undefined) return undefined;
  const weight = weights[known];
  return rating === undefined || weight <= 0 ? weight : ratingStrength(rating, weight, rules.ratings);
}

/** A rating of a liked item weighs what it says; what is rated below counts against by how far it is below. */
export function ratingStrength(rating: number, unrated: number, scale: EventRules["ratings"]): number {
  if (scale.unrated.includes(rating)) return unrated;
  if (scale.likedFrom === null) return rating === 0 ? unrated : rating;
  return rating >= scale.likedFrom ? Math.max(rating, Number.MIN_VALUE) : rating - scale.likedFrom;
}
