import { PhasewiseError } from "../errors.ts";
import type { Roles } from "./table.ts";

/**
 * Spellings a column may have, compared in lower case without "_", "-", spaces and a type after a colon (as in
 * "user_id:token"). Where a file has several of a role, the one that stands first here is taken.
 */
const SPELLINGS = {
  user: ["userid", "user", "uid", "useridx", "customerid", "reviewerid", "visitorid", "sessionid"],
  item: [
    ...["itemid", "item", "iid", "itemidx", "movieid", "movie", "filmid", "productid", "parentasin", "asin"],
    ...[
      "bookid",
      "isbn",
      "artistid",
      "trackid",
      "songid",
      "businessid",
      "gameid",
      "videoid",
      "newsid",
      "sid",
    ],
  ],
  rating: ["rating", "score", "weight", "value"],
  timestamp: ["timestamp", "time", "ts", "date", "datetime", "unixtimestamp", "eventtime"],
} as const;

const normalised = (name: string): string => name.toLowerCase().replaceAll(/[\s_"-]|:[a-z_]+$/g, "");

export function roleOf(name: string): keyof typeof SPELLINGS | undefined {
  for (const [role, spellings] of Object.entries(SPELLINGS)) {
    if ((spellings as readonly string[]).includes(normalised(name))) return role as keyof typeof SPELLINGS;
  }
  return undefined;
}

export function rolesByName(path: string, columns: readonly string[]): Roles {
  const column = (role: keyof typeof SPELLINGS): string | undefined =>
    SPELLINGS[role]
      .map((spelling) => columns.find((name) => normalised(name) === spelling))
      .find((name) => name !== undefined);
  const user = column("user");
  const item = column("item");
  if (user === undefined || item === undefined) {
    const missing = user === undefined ? "userId" : "itemId (or movieId)";
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected a column ${missing}, got ${columns.join(", ")}; rename the column that holds it`,
      { path, columns },
    );
  }
  return { user, item, rating: column("rating"), timestamp: column("timestamp") };
}

/** Without a header: userId, itemId[, rating][, timestamp]; a lone third number beyond any rating is a time. */
export function rolesByPosition(path: string, cells: readonly string[]): Roles {
  if (cells.length < 2 || cells.length > 4) {
    throw new PhasewiseError(
      "INVALID_DATA",
      `${path}: expected 2 to 4 columns userId,itemId[,rating][,timestamp] or a header that names them, got ${cells.length}: "${cells.join(", ").slice(0, 80)}"`,
      { path, line: 1 },
    );
  }
  const thirdIsTime = cells.length === 3 && (Number(cells[2]) > 1e6 || /^\d{4}-\d\d/.test(cells[2]));
  return {
    user: "c0",
    item: "c1",
    rating: cells.length > 2 && !thirdIsTime ? "c2" : undefined,
    timestamp: cells.length === 4 ? "c3" : thirdIsTime ? "c2" : undefined,
  };
}
