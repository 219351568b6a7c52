import type { Role } from "./column-names.ts";

/** Files without a header that are known by their name and their number of columns. */
const LAYOUTS: readonly {
  readonly file: RegExp;
  readonly name: string;
  readonly columns: readonly (Role | null)[];
}[] = [
  { file: /^ratings\.dat$/i, name: "MovieLens", columns: ["user", "item", "rating", "time"] },
  {
    file: /^(u|ua|ub|u\d)\.(data|base|test)$/i,
    name: "MovieLens 100K",
    columns: ["user", "item", "rating", "time"],
  },
  { file: /^userbehavior/i, name: "Taobao", columns: ["user", "item", null, "type", "time"] },
  {
    file: /^(gowalla|brightkite)_totalcheckins/i,
    name: "Gowalla",
    columns: ["user", "time", null, null, "item"],
  },
];

/** The parts of the columns of a well-known file; null when it is none. */
export function knownLayout(
  path: string,
  width: number,
): { readonly name: string; readonly columns: readonly (Role | null)[] } | null {
  const file = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  return LAYOUTS.find((layout) => layout.file.test(file) && layout.columns.length === width) ?? null;
}
