import { withDuckDb } from "../../services/interactions/duckdb.ts";

/** 145 events a user and 740 an item, as in MovieLens 20M; a fifth of a user's events share a second with another. */
export async function writeRatings(file: string, rows: number, salt = 1): Promise<void> {
  const [users, items] = [Math.round(rows / 145), Math.round(rows / 740)];
  await withDuckDb((connection) =>
    connection.run(
      `COPY (
         SELECT 1 + (event * ${users}) // ${rows} AS "userId",
                1 + CAST(floor(${items} * pow(hash(event) / 18446744073709551616.0, 3)) AS BIGINT) AS "movieId",
                1 + (hash(event + ${salt}) % 9) / 2.0 AS rating,
                1000000000 + (hash((event * ${users}) // ${rows}) % 300000000) + (event % 145) * 4 // 5 AS timestamp
         FROM range(${rows}) AS events(event)
       ) TO '${file}' (HEADER)`,
    ),
  );
}
