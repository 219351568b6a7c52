import { type ComparisonRef, isWatch, type Role } from "./types.ts";

type WithRoles = { readonly [role in Role]: unknown };

/**
 * A comparison, a pair or a judged user, from memory to Redis or back: the same either way. In Redis `baseline` is
 * whoever serves and `challenger` whoever answers in the shadow, as homes of every age have it; so in a watch, where the
 * challenger serves, the two change places.
 */
export function acrossTheWire<T extends WithRoles>({ kind }: Pick<ComparisonRef, "kind">, value: T): T {
  return isWatch({ kind }) ? { ...value, challenger: value.baseline, baseline: value.challenger } : value;
}
