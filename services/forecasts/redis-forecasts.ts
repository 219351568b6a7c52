import type { Redis } from "ioredis";
import Type, { type Static } from "typebox";
import { Phase } from "../../models/recipe.ts";
import { fromStore, toStore } from "../store-errors.ts";

/** What a verdict on a challenger of one rung would take, before it is trained. */
export const VerdictForecast = Type.Object({
  baseline: Type.String({ description: "the live version, which it would be compared with" }),
  phase: Phase,
  usersPerDay: Type.Number({ description: "users to judge by, as they came lately" }),
  lifts: Type.Array(
    Type.Object({
      lift: Type.Number({ description: "as a share of the baseline's nDCG" }),
      users: Type.Union([Type.Integer(), Type.Null()], {
        description: "with so many, 80 % of such challengers are proven; null when none ever is",
      }),
      days: Type.Union([Type.Number(), Type.Null()]),
      provable: Type.Enum(["yes", "within-margin", "too-few-users"], { type: "string" }),
    }),
  ),
  sentence: Type.String(),
});
export type VerdictForecast = Readonly<Static<typeof VerdictForecast>>;

/** For every rung, as things stood when the judge looked last. */
export interface Forecasts {
  /** `basis` tells what they were made from: nothing is written while that is the same. */
  put(forecasts: readonly VerdictForecast[], basis: string): Promise<void>;
  basis(): Promise<string | null>;
  /** Of this baseline; none of another. */
  over(baseline: string): Promise<readonly VerdictForecast[]>;
}

const KEY = "forecasts";

export function redisForecasts(redis: Redis): Forecasts {
  return {
    put: async (forecasts, basis) => {
      await toStore("keep forecasts", redis.hset(KEY, { basis, forecasts: JSON.stringify(forecasts) }));
    },
    basis: () => fromStore("read forecasts", redis.hget(KEY, "basis")),
    over: async (baseline) => {
      const text = await fromStore("read forecasts", redis.hget(KEY, "forecasts"));
      const all = text === null ? [] : (JSON.parse(text) as VerdictForecast[]);
      return all.filter((forecast) => forecast.baseline === baseline);
    },
  };
}
