/** Paths to every number of a value, looking at the first element of each array only. */
export function numberPaths(value: unknown, path: string[] = []): string[][] {
  if (typeof value === "number") return [path];
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? Object.entries(value).slice(0, 1) : Object.entries(value);
  return entries.flatMap(([key, inner]) => numberPaths(inner, [...path, key]));
}

/** The same value with something else at a path. */
export function replacedAt<T>(value: T, path: readonly string[], replacement: unknown): T {
  const [key, ...rest] = path;
  if (key === undefined) return replacement as T;
  const inner = replacedAt((value as Record<string, unknown>)[key], rest, replacement);
  return (Array.isArray(value) ? value.with(Number(key), inner) : { ...value, [key]: inner }) as T;
}
