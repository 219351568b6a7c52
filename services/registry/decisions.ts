import type { Redis } from "ioredis";
import { canonicalJson } from "../../models/canonical-json.ts";
import { brokenLink, GENESIS_SHA256, linkSha256 } from "../../models/hash-chain.ts";
import { PhasewiseError } from "../errors.ts";
import { luaScript } from "../lua-script.ts";
import { fromStore, toStore } from "../store-errors.ts";
import { APPEND_DECISION_LUA } from "./append-decision.lua.ts";
import { type DecisionRecord, decisionSummary, isAboutClimb, type SummaryOf } from "./decision-summary.ts";

export interface DecisionQuery {
  /** At most so many of the latest (default 100). */
  readonly limit?: number | undefined;
  readonly challenger?: string | undefined;
}

/** Append-only and hash-chained: every verdict of the gate, with the evidence it was reached on. */
export interface DecisionLog<R extends DecisionRecord> {
  /**
   * `build` gets the hash that the record must follow, and is called again when another record was faster.
   * Resolves to the record that was appended.
   */
  append(build: (previousSha256: string) => R): Promise<R>;
  /** Newest first. */
  list(query?: DecisionQuery): Promise<readonly R[]>;
  /** The same without their evidence, which is not read for it. */
  summaries(query?: DecisionQuery): Promise<readonly SummaryOf<R>[]>;
  /** The last word on the climb of each challenger that has one, whatever was said of it once live. */
  lastOnClimb(challengers: readonly string[]): Promise<ReadonlyMap<string, SummaryOf<R>>>;
  get(id: string): Promise<R | null>;
  /** Place of a record in the chain, from 1; null when it is no link of it. */
  position(id: string): Promise<number | null>;
  /**
   * Id of the first record that was altered, is missing, does not follow, or is summarised as something else; null
   * when the whole chain holds. Reads every record.
   */
  verify(): Promise<string | null>;
}

const TIP = "decisions:tip";
const ORDER = "decisions:order";
const RECORDS = "decisions:records";
const SUMMARIES = "decisions:summaries";
const CLIMBS = "decisions:climbs";
const ofChallenger = (challenger: string): string => `decisions:of:${challenger}`;

const DEFAULT_LIMIT = 100;
/** Every lost round means that another judge appended, and judges are few. */
const MAX_ROUNDS = 50;
/** Records read at a time when the chain is verified: some hold a figure for every user. */
const PAGE = 50;

export function redisDecisionLog<R extends DecisionRecord = DecisionRecord>(redis: Redis): DecisionLog<R> {
  const runAppend = luaScript(redis, APPEND_DECISION_LUA);

  async function recordsOf(ids: readonly string[]): Promise<(R | null)[]> {
    if (ids.length === 0) return [];
    const texts = await fromStore("read decisions", redis.hmget(RECORDS, ...ids));
    return texts.map((text) => (text === null ? null : (JSON.parse(text) as R)));
  }

  async function idsOf({ limit = DEFAULT_LIMIT, challenger }: DecisionQuery): Promise<string[]> {
    if (limit < 1) return [];
    const key = challenger === undefined ? ORDER : ofChallenger(challenger);
    return (await fromStore("read decisions", redis.lrange(key, -limit, -1))).reverse();
  }

  async function summariesOf(ids: readonly string[]): Promise<SummaryOf<R>[]> {
    if (ids.length === 0) return [];
    const texts = await fromStore("read decisions", redis.hmget(SUMMARIES, ...ids));
    return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as SummaryOf<R>]));
  }

  /** Summaries are no links: what a reader of the list is shown must be what the record says. */
  async function firstMissummarised(records: readonly R[]): Promise<number | null> {
    if (records.length === 0) return null;
    const ids = records.map(({ id }) => id);
    const texts = await fromStore("verify decisions", redis.hmget(SUMMARIES, ...ids));
    const position = records.findIndex((record, index) => {
      const text = texts[index];
      return text === null || canonicalJson(JSON.parse(text)) !== canonicalJson(decisionSummary(record));
    });
    return position < 0 ? null : position;
  }

  return {
    async append(build) {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const previous = (await fromStore("append decision", redis.get(TIP))) ?? GENESIS_SHA256;
        const record = build(previous);
        refuseUnsealed(record, previous);
        const { id, sha256, challenger } = record;
        const keys = [TIP, ORDER, RECORDS, ofChallenger(challenger), SUMMARIES, CLIMBS];
        const climbing = isAboutClimb(record) ? challenger : "";
        const texts = [JSON.stringify(record), JSON.stringify(decisionSummary(record))];
        const reply = runAppend(keys, [previous, id, sha256, ...texts, climbing]);
        if ((await toStore("append decision", reply)) === 1) return record;
      }
      throw new PhasewiseError(
        "CONFLICT",
        `append decision: expected the log to rest for a moment, but ${MAX_ROUNDS} others were faster; try again`,
      );
    },

    async list(query = {}) {
      return (await recordsOf(await idsOf(query))).filter((record) => record !== null);
    },

    summaries: async (query = {}) => summariesOf(await idsOf(query)),

    async lastOnClimb(challengers) {
      if (challengers.length === 0) return new Map();
      const ids = await fromStore("read decisions", redis.hmget(CLIMBS, ...challengers));
      const summaries = await summariesOf(ids.filter((id) => id !== null));
      return new Map(summaries.map((summary) => [summary.challenger, summary]));
    },

    async get(id) {
      return (await recordsOf([id]))[0];
    },

    async position(id) {
      const index = await fromStore("find decision", redis.lpos(ORDER, id));
      return index === null ? null : index + 1;
    },

    async verify() {
      const tip = (await fromStore("verify decisions", redis.get(TIP))) ?? GENESIS_SHA256;
      let previous = GENESIS_SHA256;
      for (let from = 0; ; from += PAGE) {
        const ids = await fromStore("verify decisions", redis.lrange(ORDER, from, from + PAGE - 1));
        const records = await recordsOf(ids);
        const gone = records.findIndex((record, position) => record?.id !== ids[position]);
        const links = (gone < 0 ? records : records.slice(0, gone)) as R[];
        const broken = firstOf(
          brokenLink(links, previous)?.index ?? null,
          await firstMissummarised(links),
          gone < 0 ? null : gone,
        );
        if (broken !== null) return ids[broken];
        // The tip was read first: what was appended since is another call's concern.
        if (links.some(({ sha256 }) => sha256 === tip)) return null;
        previous = links.at(-1)?.sha256 ?? previous;
        if (ids.length < PAGE) return previous === tip ? null : `the record with SHA-256 ${tip}`;
      }
    },
  };
}

function firstOf(...positions: readonly (number | null)[]): number | null {
  const known = positions.filter((position) => position !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function refuseUnsealed(record: DecisionRecord, previousSha256: string): void {
  const actual = linkSha256(record);
  if (record.previousSha256 === previousSha256 && record.sha256 === actual) return;
  throw new RangeError(
    `decision ${record.id}: expected it to follow ${previousSha256} and to have the SHA-256 ${actual} of its content, got ${record.previousSha256} and ${record.sha256}`,
  );
}
