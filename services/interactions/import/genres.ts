import { literalValue } from "./python-literal.ts";

const NONE = /^(\(no genres listed\)|\\n|none|null|nan|n\/a|unknown|\[\]|\{\})$/i;

/**
 * Genres in whatever way catalogues write lists: "Comedy|Drama", "Comedy, Drama", "Comedy; Drama", ["Comedy"],
 * ['Comedy', 'Drama'], [Comedy, Drama], {Comedy,Drama}, [{'id': 35, 'name': 'Comedy'}], [["Books", "Comedy"]].
 */
export function genresOf(text: string): string[] {
  const cell = text.trim();
  if (cell === "" || NONE.test(cell)) return [];
  const found = /^[[({]/.test(cell) ? fromLiteral(cell) : separated(cell);
  const seen = new Set<string>();
  for (const genre of found) {
    const plain = genre.trim().replaceAll(/^["']|["']$/g, "");
    if (plain !== "" && !NONE.test(plain)) seen.add(plain);
  }
  return [...seen];
}

function fromLiteral(cell: string): string[] {
  const value = literalValue(cell);
  if (value !== undefined) return namesIn(value);
  // A list without quotes, as DuckDB and Postgres print one.
  return cell.slice(1, -1).split(",");
}

function namesIn(value: unknown): string[] {
  if (typeof value === "string" || typeof value === "number") return [String(value)];
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value);
  const name = entries.find(([key]) => /^(name|description|title|genre|label)$/i.test(key));
  // Goodreads counts: {"fantasy": 12, "young adult": 3}
  return name === undefined ? entries.map(([key]) => key) : namesIn(name[1]);
}

function separated(cell: string): string[] {
  const separator = ["|", ";", ","].find((candidate) => cell.includes(candidate));
  return separator === undefined ? [cell] : cell.split(separator);
}
