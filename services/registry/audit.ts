import type { Redis } from "ioredis";
import { brokenLink, GENESIS_SHA256 } from "../../models/hash-chain.ts";
import { fromStore } from "../store-errors.ts";
import { REGISTRY_KEYS } from "./snapshot.ts";
import type { AuditAction, AuditEntry } from "./types.ts";

/** Entries read at a time, so that a long audit neither fills memory nor holds Redis. */
const PAGE = 1_000;

/** One stretch of time in which one version was live. */
export interface LivePeriod {
  readonly version: string;
  /** The version that was left for it; null at the first promotion. */
  readonly from: string | null;
  readonly epoch: number;
  /** ISO 8601; `until` is null for the version that is live now. */
  readonly since: string;
  readonly until: string | null;
  readonly action: AuditAction;
  readonly reason: string;
}

const POINTER_MOVES: ReadonlySet<AuditAction> = new Set([
  "promote",
  "force-promote",
  "rollback",
  "auto-rollback",
]);

/** Stored as `<commit id> <JSON>`; the commit id lets the commit script recognise its own second sending. */
function parse(line: string): AuditEntry {
  return JSON.parse(line.slice(line.indexOf(" ") + 1)) as AuditEntry;
}

async function entries(redis: Redis, from: number, through: number): Promise<AuditEntry[]> {
  return (await fromStore("read audit", redis.lrange(REGISTRY_KEYS.audit, from, through))).map(parse);
}

async function* pages(redis: Redis): AsyncGenerator<AuditEntry[]> {
  for (let from = 0; ; from += PAGE) {
    const page = await entries(redis, from, from + PAGE - 1);
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
  }
}

export function latestAudit(redis: Redis, limit: number): Promise<readonly AuditEntry[]> {
  return limit < 1 ? Promise.resolve([]) : entries(redis, -limit, -1);
}

/** First sequence that was altered, is missing, or was added behind the chain's back; null when all hold. */
export async function firstBrokenAudit(redis: Redis): Promise<number | null> {
  const tip = await fromStore("read audit", redis.hgetall(REGISTRY_KEYS.tip));
  const expected = Number(tip.sequence ?? 0);
  let previous = GENESIS_SHA256;
  let sequence = 0;
  for await (const page of pages(redis)) {
    const broken = brokenLink(page, previous)?.index ?? null;
    const misnumbered = page.findIndex((entry, position) => entry.sequence !== sequence + position + 1);
    const positions = [broken, misnumbered].filter((position) => position !== null && position >= 0);
    if (positions.length > 0) return sequence + Math.min(...(positions as number[])) + 1;
    sequence += page.length;
    previous = page[page.length - 1].sha256;
    // The tip was read first: entries committed since then are beyond it and are another call's concern.
    if (sequence >= expected) return null;
  }
  return sequence === expected && previous === (tip.sha256 ?? GENESIS_SHA256) ? null : sequence + 1;
}

/** What was live when, oldest first. */
export async function livePeriods(redis: Redis): Promise<readonly LivePeriod[]> {
  const moves: AuditEntry[] = [];
  for await (const page of pages(redis))
    moves.push(...page.filter(({ action }) => POINTER_MOVES.has(action)));
  return moves.map(({ version, from, epoch, at, action, reason }, position) => ({
    version,
    from,
    epoch,
    since: at,
    until: moves[position + 1]?.at ?? null,
    action,
    reason,
  }));
}
