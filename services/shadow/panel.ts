import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { EVIDENCE_RETENTION_SECONDS } from "../append-once.ts";
import type { EventClocks } from "../interactions/event-clocks.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { HOLD_LUA, RELEASE_LUA } from "./panel.lua.ts";

/**
 * The requests of users whose windows are open. A request is kept once, with the list of every lane, however many
 * comparisons it is a sample of; a comparison is named there by a mark. When the window of its user has closed, a
 * comparison takes one row from it (`redis-shadow-log.ts`) and lets go; a request that no comparison holds is gone.
 * So Redis holds what is open, and a look at the users that are due costs what those users cost.
 */
export interface Panel {
  /** In the order of the users. */
  held(users: readonly string[]): Promise<readonly (readonly HeldRequest[])[]>;
  /**
   * Holds each request once, counts it once, and drops requests whose places others have taken: in these comparisons,
   * all that are open.
   */
  hold(
    user: string,
    requests: readonly NewRequest[],
    dropped: readonly string[],
    open: readonly string[],
  ): Promise<void>;
  /** Users whose windows may have closed by these clocks, at most so many. */
  due(clocks: Clocks, most: number): Promise<readonly string[]>;
  /** When to look at a user again, by either clock. */
  lookAgain(user: string, at: Readonly<Record<keyof Clocks, number>>): Promise<void>;
  /** A comparison lets requests of a user go, and takes the user's row in exchange where there is one. */
  release(
    user: string,
    comparison: string | Ended,
    requestIds: readonly string[],
    outcome: Outcome,
  ): Promise<void>;
  /** Those whose requests are held. */
  users(): Promise<readonly string[]>;
}

export type Clocks = Pick<EventClocks, "live" | "recorded">;

/** Names a comparison that is not open any more: nothing is counted for it. */
export interface Ended {
  readonly mark: string;
}

export interface HeldRequest {
  readonly requestId: string;
  /** Id of the key through which it was asked; absent of requests from before there were keys. */
  readonly source?: string | undefined;
  /** The user's history as of the request: entries with sequence ≤ this. */
  readonly historyThrough: number;
  readonly k: number;
  /** What each version answered, best first; null for one that failed or was too late. */
  readonly lists: Readonly<Record<string, readonly string[] | null>>;
  /** Event times reached when it was recorded. */
  readonly heldAt: Clocks;
  /** Marks of the comparisons it belongs to, and whether the version that serves answered. */
  readonly marks: ReadonlyMap<string, boolean>;
}

/** What one comparison counts of a request. */
export interface Part {
  readonly comparison: string;
  /** Whether the version that serves answered. */
  readonly answered: boolean;
  readonly add: Readonly<Record<string, number>>;
  /** Milliseconds of challenger and baseline, "-" for one that failed. */
  readonly latency: string;
  /** What the challenger's lane held; absent when it was ended. */
  readonly memoryMb?: number | undefined;
}

export interface NewRequest extends Omit<HeldRequest, "marks"> {
  readonly parts: readonly Part[];
}

/**
 * `entered`: with the user's row, and what the two showed the user; `early`: older than the comparison; `unheard`:
 * followed by nothing that could be judged; `ended`: the comparison is over.
 */
export type Outcome =
  | {
      readonly kind: "entered";
      readonly row: string;
      readonly shown: string | null;
      readonly mostShown: number;
    }
  | { readonly kind: "early" | "unheard" | "ended" };

/** A comparison's name in the requests that it holds. */
export function markOf(comparison: string): string {
  return createHash("sha256").update(comparison).digest("hex").slice(0, 8);
}

const DUE = { live: "shadow:due:live", recorded: "shadow:due:recorded" } as const;
/** Named after the user: what an erasure removes whole. */
export const heldKey = (user: string): string => `shadow:user:${user}`;
export const partKey = (comparison: string, part: string): string => `shadow:${comparison}:${part}`;

export function redisPanel(redis: Redis, latencySamples: number): Panel {
  const runHold = luaScript(redis, HOLD_LUA);
  const runRelease = luaScript(redis, RELEASE_LUA);
  return {
    held: async (users) => {
      const reading = redis.pipeline();
      for (const user of users) reading.hgetall(heldKey(user));
      const replies = (await fromStore("read shadow", reading.exec())) ?? [];
      return replies.map(([error, fields]) => {
        if (error !== null) throw error;
        return Object.entries(fields as Record<string, string>).map(heldRequest);
      });
    },
    hold: async (user, requests, dropped, open) => {
      if (requests.length === 0 && dropped.length === 0) return;
      const keys = open.flatMap((id) => [partKey(id, "counts"), partKey(id, "latencies")]);
      const places = new Map(open.map((id, index) => [id, index + 1]));
      const rows = requests.map(({ requestId: id, parts, ...request }) => {
        const marks = parts.map(({ comparison, answered }) => `${answered ? "" : "-"}${markOf(comparison)}`);
        return {
          id,
          text: `${marks.join(" ")}\n${JSON.stringify(request)}`,
          parts: parts.map(({ comparison, answered, ...part }) => ({ ...part, at: places.get(comparison) })),
        };
      });
      const marks = Object.fromEntries([...places].map(([id, place]) => [markOf(id), place]));
      const work = JSON.stringify({ rows, drop: dropped, marks });
      const args = [user, EVIDENCE_RETENTION_SECONDS, latencySamples, work];
      await toStore("record shadow", runHold([heldKey(user), DUE.live, DUE.recorded, ...keys], args));
    },
    due: async (clocks, most) => {
      const names = ["live", "recorded"] as const;
      const own = names.map((name) =>
        redis.zrangebyscore(DUE[name], "-inf", clocks[name] ?? 0, "LIMIT", 0, most),
      );
      return [...new Set((await fromStore("read shadow", Promise.all(own))).flat())].slice(0, most);
    },
    lookAgain: async (user, { live, recorded }) => {
      const setting = redis.multi().zadd(DUE.live, "XX", live, user).zadd(DUE.recorded, "XX", recorded, user);
      await toStore("record shadow", setting.exec());
    },
    release: async (user, comparison, requestIds, outcome) => {
      const id = typeof comparison === "string" ? comparison : "ended";
      const parts = ["entered", "users", "shown", "counts"].map((part) => partKey(id, part));
      const keys = [heldKey(user), DUE.live, DUE.recorded, ...parts];
      const mark = typeof comparison === "string" ? markOf(comparison) : comparison.mark;
      const { row, shown, mostShown } =
        outcome.kind === "entered" ? outcome : { row: "", shown: null, mostShown: 0 };
      const args = [user, mark, EVIDENCE_RETENTION_SECONDS, outcome.kind, row, shown ?? "", mostShown];
      await toStore("enter users", runRelease(keys, [...args, ...requestIds]));
    },
    users: () => fromStore("read shadow", redis.zrange(DUE.live, "0", "-1")),
  };
}

function heldRequest([requestId, text]: [string, string]): HeldRequest {
  const cut = text.indexOf("\n");
  const words = text.slice(0, cut).split(" ").filter(Boolean);
  const marks = words.map((word): [string, boolean] => [word.replace("-", ""), !word.startsWith("-")]);
  return { ...JSON.parse(text.slice(cut + 1)), requestId, marks: new Map(marks) };
}
