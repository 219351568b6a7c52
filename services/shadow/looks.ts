import type { Redis } from "ioredis";
import Type, { type Static } from "typebox";
import { VERDICTS } from "../../models/gate/reasons.ts";
import { fromStore, toStore } from "../store-errors.ts";

/** What one look of the judge found. */
export const Look = Type.Object({
  about: Type.Enum(["shadow", "canary", "watch", "fleet"], {
    type: "string",
    description:
      "a challenger and the live version, in the shadow or as canary; the live version and the one before it (watch); the live version in service (fleet)",
  }),
  at: Type.String({ description: "ISO 8601" }),
  challenger: Type.String({ description: "the newer version, whether it serves yet or not" }),
  baseline: Type.String({ description: "the older version; of a fleet, the one that a rollback returns to" }),
  verdict: Type.Enum([...VERDICTS], { type: "string" }),
  users: Type.Integer(),
  overlap: Type.Optional(
    Type.Number({
      description:
        "of a shadow: share of the items that the lists of the two have in common, a mean over requests",
    }),
  ),
  standing: Type.Optional(
    Type.Object(
      {
        attempt: Type.Integer({ description: "k: each attempt at a baseline takes its part of α" }),
        confidence: Type.Number({ description: "1 − this attempt's part of α, which its proof must reach" }),
        lift: Type.Number({ description: "mean difference in nDCG so far" }),
        moreUsers: Type.Union([Type.Integer(), Type.Null()], {
          description: "about how many more the present lift needs; null when no number of them would do",
        }),
        usersPerDay: Type.Union([Type.Number(), Type.Null()], {
          description: "users that enter a day of event time; null when not known yet",
        }),
      },
      { description: "of a shadow, once a user has been judged: where its test stands" },
    ),
  ),
  suspect: Type.Optional(
    Type.Boolean({ description: "true where the evidence is suspect and waits for an operator" }),
  ),
  sentence: Type.String(),
});
export type Look = Readonly<Static<typeof Look>>;

/** The same before it is written down. */
export type Judgement = Omit<Look, "at">;

/** The judge's latest look: where everything stands now, most of which no decision is ever written about. */
export interface Looks {
  put(judgements: readonly Judgement[], at: string): Promise<void>;
  latest(): Promise<readonly Look[]>;
}

const LATEST = "shadow:looks";

export function redisLooks(redis: Redis): Looks {
  return {
    put: async (judgements, at) => {
      const looks: Look[] = judgements.map((judgement) => ({ ...judgement, at }));
      await toStore("keep looks", redis.set(LATEST, JSON.stringify(looks)));
    },
    latest: async () => {
      const text = await fromStore("read looks", redis.get(LATEST));
      return text === null ? [] : (JSON.parse(text) as Look[]);
    },
  };
}
