import { type ComparisonRef, isWatch, type Role } from "./types.ts";

type WithRoles = { readonly [role in Role]: unknown };

/**
 * Turns a comparison, a pair or a judged user into what Redis holds, and back: the same step either way. In Redis
 * `baseline` is always the version that serves and `challenger` the one that answers in the shadow; homes of earlier
 * versions are written like that. In a watch the challenger serves, so there the two change places.
 */
export function acrossTheWire<T extends WithRoles>({ kind }: Pick<ComparisonRef, "kind">, value: T): T {
  return isWatch({ kind }) ? { ...value, challenger: value.baseline, baseline: value.challenger } : value;
}
