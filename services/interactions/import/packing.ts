import { PhasewiseError } from "../../errors.ts";

export type Packing = "plain" | "gzip" | "zstd";

/** What a file's first bytes say it is, and what to do about it. */
const NO_TABLE: readonly { readonly magic: string; readonly what: string; readonly remedy: string }[] = [
  {
    magic: "504b0304",
    what: "a zip archive or an Excel workbook",
    remedy: "unpack it, or save the sheet as CSV",
  },
  { magic: "425a68", what: "a bzip2 file", remedy: "unpack it first (bunzip2)" },
  { magic: "fd377a585a", what: "an xz file", remedy: "unpack it first (unxz)" },
  { magic: "377abcaf271c", what: "a 7-Zip archive", remedy: "unpack it first" },
  { magic: "526172211a07", what: "a RAR archive", remedy: "unpack it first" },
  { magic: "53514c69746520", what: "an SQLite database", remedy: "export its table as CSV" },
  { magic: "d0cf11e0", what: "an old Excel workbook", remedy: "save the sheet as CSV" },
  { magic: "894844460d0a", what: "an HDF5 file", remedy: "export it as CSV or Parquet" },
  { magic: "4f524300", what: "an ORC file", remedy: "export it as Parquet" },
  { magic: "4f626a01", what: "an Avro file", remedy: "export it as Parquet" },
  { magic: "80049", what: "a Python pickle", remedy: "save it as CSV or Parquet" },
];

export const isParquet = (head: Buffer): boolean => head.toString("latin1", 0, 4) === "PAR1";

/** By content, whatever the name says. @throws INVALID_DATA for what is no table */
export function packingOf(path: string, head: Buffer): Packing {
  const hex = head.toString("hex");
  if (hex.startsWith("1f8b")) return "gzip";
  if (hex.startsWith("28b52ffd")) return "zstd";
  const other = NO_TABLE.find(({ magic }) => hex.startsWith(magic));
  if (other !== undefined) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected a table as text, JSON or Parquet, got ${other.what}; ${other.remedy}`,
      { path },
    );
  }
  if (/\.gz$/i.test(path) && head.length > 0) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected a gzip file, got one that is not packed; drop .gz from its name, or pack it anew`,
      { path },
    );
  }
  return "plain";
}
