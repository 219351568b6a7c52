import type { Redis } from "ioredis";
import type { Discovery } from "../../models/gate/alpha-spending.ts";
import type { VersionState } from "../../models/gate/states.ts";
import { PhasewiseError } from "../errors.ts";
import { allAttempts, attemptIndexOf, attemptsAtLiveOf, attemptsOf, countAttempt } from "./attempts.ts";
import { firstBrokenAudit, type LivePeriod, latestAudit, livePeriods } from "./audit.ts";
import { decideCanary } from "./canary.ts";
import { type Change, committer, type UnsealedEntry } from "./commit.ts";
import { stateWrites } from "./pointer-move.ts";
import { decidePromote } from "./promote.ts";
import { decideRelease } from "./release.ts";
import { decideRollback } from "./rollback.ts";
import { rollbackResult } from "./rollback-result.ts";
import { type Freeze, readLive, type Snapshot, snapshotReader, type VersionFacts } from "./snapshot.ts";
import { mayTransition } from "./states.ts";
import type { LivePointer, Registry, VersionRecord } from "./types.ts";
import { watchLivePointer } from "./watch-live.ts";

export interface RegistryOptions {
  /** Epoch milliseconds, for the times in records and the window of automatic rollbacks (default: the clock). */
  readonly now?: (() => number) | undefined;
  /** Automatic rollbacks in 24 hours at which the floor serves and promotions freeze (default 2). */
  readonly automaticPerDay?: number | undefined;
  /** How often a watcher reads the live pointer besides hearing of changes, milliseconds (default 500). */
  readonly pollMs?: number | undefined;
  /** Hears of a watcher's failed reads; the next poll tries again (default: nobody). */
  readonly onWatchError?: ((error: unknown) => void) | undefined;
}

const DEFAULT_POLL_MS = 500;
const DEFAULT_AUTOMATIC_PER_DAY = 2;
const DEFAULT_AUDIT_LIMIT = 1_000;

export interface RedisRegistry extends Registry {
  /** SCREENED → SHADOWING without an attempt of its own: it goes on with the test of its line. */
  goOn(version: string, reason: string, actor: string): Promise<VersionRecord>;
  /** k of a challenger's latest attempt among all ever made against the present baseline; 0 before its first. */
  attemptIndex(version: string): Promise<number>;
  /** Attempts by anybody at the present baseline: the next is the one after. */
  attemptsAtLive(): Promise<number>;
  /** Counts an attempt at a baseline that is not live, but may yet be; resolves to its k. */
  countPair(version: string, baseline: string, actor: string): Promise<number>;
  /** Attempts ever made at any baseline, and promotions from one version to another. */
  discoveries(): Promise<Discovery>;
  /** Set by one automatic rollback too many in 24 hours; while it stands nothing is promoted. */
  freeze(): Promise<Freeze | null>;
  /** An operator has found the cause: promotions are possible again. False when nothing was frozen. */
  unfreeze(reason: string, actor: string): Promise<boolean>;
  /** What was live when, oldest first. */
  liveHistory(): Promise<readonly LivePeriod[]>;
}

export function redisRegistry(redis: Redis, options: RegistryOptions = {}): RedisRegistry {
  const now = options.now ?? Date.now;
  const commit = committer(redis);
  const readSnapshot = snapshotReader(redis);
  const isoNow = (): string => new Date(now()).toISOString();

  /** `counts`: whether an entry into the shadow is an attempt of its own. */
  const move = async (
    version: string,
    from: readonly VersionState[],
    to: VersionState,
    reason: string,
    actor: string,
    counts: boolean,
  ): Promise<VersionRecord> => {
    await commit(`move ${version} to ${to}`, (snapshot) => {
      const { state } = recordIn(snapshot, version);
      if (!from.includes(state) || !mayTransition(state, to)) {
        throw new PhasewiseError(
          "CONFLICT",
          `move ${version} to ${to}: expected it in ${from.filter((known) => mayTransition(known, to)).join(" or ") || "a state with an arrow there"}, got ${state}; read its state and decide again`,
          { version, state },
        );
      }
      return withEntry(
        {
          snapshot,
          at: isoNow(),
          actor,
          action: "state",
          version,
          from: state,
          reason: `${to}: ${reason}`,
        },
        [
          ...stateWrites(version, to, reason),
          // From STALE it goes on with a pair that is open already, and was counted when it was opened.
          ...(counts && to === "SHADOWING" && state !== "STALE" ? countAttempt(snapshot, version) : []),
        ],
      );
    });
    return recordIn(await readSnapshot(), version);
  };

  return {
    async register(manifest, manifestSha256, actor) {
      const { version, phase, recipe, sha256 } = manifest;
      await commit(`register ${version}`, (snapshot) => {
        const known = snapshot.facts.get(version);
        if (known !== undefined && known.sha256 !== sha256) {
          throw new PhasewiseError(
            "CONFLICT",
            `register ${version}: expected the arrays it was registered with (${known.sha256}), got ${sha256}; a version never changes`,
          );
        }
        if (known !== undefined) return null;
        const registeredAt = isoNow();
        const dataSha256 = manifest.data.sha256;
        const facts: VersionFacts = {
          version,
          phase,
          recipe,
          manifestSha256,
          sha256,
          dataSha256,
          registeredAt,
        };
        return withEntry(
          {
            snapshot,
            at: registeredAt,
            actor,
            action: "register",
            version,
            from: null,
            reason: "registered",
          },
          [["facts", version, JSON.stringify(facts)], ...stateWrites(version, "REGISTERED", "registered")],
        );
      });
      return recordIn(await readSnapshot(), version);
    },

    async versions() {
      const snapshot = await readSnapshot();
      return Array.from(snapshot.facts.keys(), (version) => recordIn(snapshot, version)).sort(byRegistration);
    },

    async version(version) {
      const snapshot = await readSnapshot();
      return snapshot.facts.has(version) ? recordIn(snapshot, version) : null;
    },

    live: () => readLive(redis),

    transition: (version, from, to, reason, actor) => move(version, from, to, reason, actor, true),
    goOn: (version, reason, actor) => move(version, ["SCREENED"], "SHADOWING", reason, actor, false),

    async promote(request) {
      const { change } = await commit(`promote ${request.version}`, (snapshot) =>
        decidePromote(snapshot, request, now()),
      );
      return change.live;
    },

    async canary(request) {
      const { snapshot, change } = await commit(`canary ${request.version}`, (current) =>
        decideCanary(current, request, now()),
      );
      // Null only when a version is live whose canary is as it was asked to be.
      return { live: change?.live ?? (snapshot.live as LivePointer), changed: change !== null };
    },

    async rollback(request) {
      const at = now();
      const decide = (snapshot: Snapshot) =>
        decideRollback(snapshot, request, at, options.automaticPerDay ?? DEFAULT_AUTOMATIC_PER_DAY);
      if (request.dryRun === true) {
        const snapshot = await readSnapshot();
        return rollbackResult(snapshot, decide(snapshot), request, at);
      }
      const { snapshot, change } = await commit("rollback", decide);
      return rollbackResult(snapshot, change, request, at);
    },

    async release(request) {
      const { change } = await commit(`release ${request.version}`, (snapshot) =>
        decideRelease(snapshot, request, now()),
      );
      return change !== null;
    },

    audit: (limit = DEFAULT_AUDIT_LIMIT) => latestAudit(redis, limit),
    verifyAudit: () => firstBrokenAudit(redis),
    liveHistory: () => livePeriods(redis),

    async attemptIndex(version) {
      return attemptIndexOf(await readSnapshot(), version);
    },

    async attemptsAtLive() {
      return attemptsAtLiveOf(await readSnapshot());
    },

    async countPair(version, baseline, actor) {
      await commit(`open the pair of ${version} with ${baseline}`, (current) =>
        withEntry(
          {
            snapshot: current,
            at: isoNow(),
            actor,
            action: "pair",
            version,
            from: baseline,
            reason: `its test against ${baseline} is open, whichever is live`,
          },
          countAttempt(current, version, baseline),
        ),
      );
      return attemptIndexOf(await readSnapshot(), version, baseline);
    },

    async discoveries() {
      const [snapshot, periods] = await Promise.all([readSnapshot(), livePeriods(redis)]);
      const promotions = periods.filter(({ action, from }) => action === "promote" && from !== null).length;
      return { pair: allAttempts(snapshot), promotions };
    },

    async freeze() {
      return (await readSnapshot()).freeze;
    },

    async unfreeze(reason, actor) {
      const { change } = await commit("unfreeze", (snapshot) => {
        const { freeze, live } = snapshot;
        if (freeze === null || live === null) return null;
        return withEntry(
          { snapshot, at: isoNow(), actor, action: "unfreeze", version: live.version, from: null, reason },
          [
            ["freeze", "since", null],
            ["freeze", "reason", null],
            ["freeze", "automatic", null],
          ],
        );
      });
      return change !== null;
    },

    watchLive: (onChange) =>
      watchLivePointer(redis, onChange, {
        pollMs: options.pollMs ?? DEFAULT_POLL_MS,
        onError: options.onWatchError ?? (() => {}),
      }),
  };
}

type EntryOf = Omit<UnsealedEntry, "epoch" | "decisionId"> & { readonly snapshot: Snapshot };

/** A change that leaves the live pointer where it is. */
function withEntry({ snapshot, ...entry }: EntryOf, writes: Change["writes"]): Change {
  return { entries: [{ ...entry, epoch: snapshot.live?.epoch ?? 0, decisionId: null }], writes };
}

function recordIn(snapshot: Snapshot, version: string): VersionRecord {
  const facts = snapshot.facts.get(version);
  const state = snapshot.states.get(version);
  if (facts === undefined || state === undefined) {
    throw new PhasewiseError(
      "NOT_FOUND",
      `registry: expected a registered version, got "${version}"; register it first`,
    );
  }
  return {
    ...facts,
    state,
    reason: snapshot.reasons[version] ?? "",
    attempts: attemptsOf(snapshot, version),
  };
}

function byRegistration(a: VersionRecord, b: VersionRecord): number {
  const [left, right] = [a.registeredAt + a.version, b.registeredAt + b.version];
  return left < right ? -1 : left > right ? 1 : 0;
}
