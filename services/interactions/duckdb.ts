import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

/** DuckDB's own share of memory; the columns it hands over live in our arrays. */
const MEMORY_LIMIT = "1GB";

export interface OpenDuckDb {
  readonly connection: DuckDBConnection;
  close(): void;
}

/** A private in-memory DuckDB that keeps file order even when it reads on several threads. The caller closes it. */
export async function openDuckDb(): Promise<OpenDuckDb> {
  const instance = await DuckDBInstance.create(":memory:", {
    preserve_insertion_order: "true",
    memory_limit: MEMORY_LIMIT,
    autoinstall_known_extensions: "false",
  });
  try {
    const connection = await instance.connect();
    // The default of 1 MB makes the scan wait for us every few chunks.
    await connection.run("SET streaming_buffer_size = '64MB'");
    return {
      connection,
      close: () => {
        connection.closeSync();
        instance.closeSync();
      },
    };
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

export async function withDuckDb<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const { connection, close } = await openDuckDb();
  try {
    return await work(connection);
  } finally {
    close();
  }
}

/** Small results only: every row as an object of texts, numbers and nulls. */
export async function rowsOf<Row extends Record<string, unknown>>(
  connection: DuckDBConnection,
  sql: string,
): Promise<Row[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRowObjectsJson() as unknown as Row[];
}
