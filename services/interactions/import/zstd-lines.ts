import { openDuckDb } from "../duckdb.ts";
import { quoted } from "../sql.ts";
import { isWholeZstd } from "./zstd-frames.ts";

/** Longest line that is read. */
const MAX_LINE_BYTES = 1 << 24;

/**
 * The lines of a zstd file, for a Node.js that cannot unpack one by itself (before 22.15): DuckDB can, and reads each
 * line as one cell. Blank lines are left out.
 */
export async function* zstdLines(path: string): AsyncGenerator<Buffer> {
  if (!(await isWholeZstd(path))) throw new RangeError("it ends in the middle of a frame");
  const { connection, close } = await openDuckDb();
  try {
    const result = await connection.stream(
      `SELECT line FROM read_csv(${quoted(path)}, auto_detect = false, header = false, compression = 'zstd', delim = '\x1f',
         quote = '', escape = '', max_line_size = ${MAX_LINE_BYTES}, columns = {line: 'VARCHAR'})`,
    );
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      const lines = chunk.getColumnVector(0);
      let text = "";
      for (let row = 0; row < chunk.rowCount; row++) text += `${lines.getItem(row) ?? ""}\n`;
      yield Buffer.from(text);
    }
  } finally {
    close();
  }
}
