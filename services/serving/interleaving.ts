import { randomUUID } from "node:crypto";
import type { ItemId, UserId } from "../../models/data/ids.ts";
import { seededRandom } from "../../models/data/random.ts";
import { isAssigned, placeOf } from "../../models/gate/assignment.ts";
import { type DraftedItem, teamDraft } from "../../models/gate/interleaving.ts";
import type { Query, Recommendation, Source } from "../../models/recommender.ts";
import type { InterleavingLog, OpenInterleaving, ServingCounts } from "../interleaving/types.ts";
import { type Attempt, attempt, failed } from "./attempt.ts";
import type { Answer } from "./lineup.ts";
import type { ServedModel } from "./served-model.ts";

/**
 * Stage C in the serving process.
 *
 * The judge says in Redis which challenger is interleaved; a poll reads it and loads that version with the checks of
 * a promotion. Users outside the share are not touched. A request of a user in the share is answered with a team
 * draft of the live and the challenger's list, once Redis has remembered who gave each item. When anything goes
 * wrong, the live list is served:
 *   - A challenger that throws, gives an empty list or is over its time budget has failed, and the judge counts it.
 *     After as many failures in a row as the policy says it is set aside: not asked, and each request counts as failed.
 *   - A Redis that does not answer is nobody's failure; it is left alone for a while.
 */
export interface InterleavingDeps {
  readonly log: Pick<InterleavingLog, "open" | "remember" | "report">;
  /** Loads a version and checks it as before a promotion. */
  readonly load: (version: string) => Promise<ServedModel>;
  readonly events?: {
    onOutcome?(outcome: InterleavingOutcome): void;
    onChallengerFailed?(version: string, error: unknown): void;
    onLoadFailed?(version: string, error: unknown): void;
    onError?(error: unknown): void;
  };
  /** A clock that never goes back, milliseconds (default: the process's). */
  readonly elapsed?: () => number;
  readonly pollMs?: number;
}

/** `used-up`: the request is not in the sample of its user's, or the attempt has had all its lists. */
export type InterleavingOutcome = "mixed" | "failed" | "slow" | "set-aside" | "used-up" | "not-remembered";

export interface InterleavedAnswer {
  readonly recommendation: Recommendation;
  readonly interleavedWith: string;
}

export interface MixRequest {
  readonly requestId: string;
  readonly userId: UserId;
  /** Id of the key through which it was asked. */
  readonly source: string;
  readonly historyThrough: number;
  readonly query: Query;
  readonly live: Answer;
}

interface Running {
  open: OpenInterleaving;
  readonly challenger: ServedModel;
  /** Names this run's counts; another run of the same attempt counts from 0 under another name. */
  readonly run: string;
  readonly counts: { -readonly [C in keyof ServingCounts]: number };
  failuresInARow: number;
}

const POLL_MS = 1000;
/** Pause after Redis failed to remember a list, and before a version that did not load is tried again. */
const REDIS_PAUSE_MS = 1000;
const LOAD_PAUSE_MS = 30_000;

export class Interleaving {
  readonly #deps: InterleavingDeps;
  readonly #elapsed: () => number;
  #running: Running | null = null;
  #looking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #redisPausedUntil = Number.NEGATIVE_INFINITY;
  #notLoaded = { attemptId: "", until: 0 };

  constructor(deps: InterleavingDeps) {
    this.#deps = deps;
    this.#elapsed = deps.elapsed ?? (() => performance.now());
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), this.#deps.pollMs ?? POLL_MS).unref();
    void this.look();
  }

  /** Version that is mixed in at present, once it is loaded. */
  get challenger(): string | null {
    return this.#running?.open.challenger ?? null;
  }

  /** Reads what is to be interleaved and tells how it went; one look at a time, never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#follow()
      .catch((error) => this.#deps.events?.onError?.(error))
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking;
    await this.#tell().catch((error) => this.#deps.events?.onError?.(error));
  }

  /** The mixed list, or null when the live list is to be served alone. Never rejects. */
  async mix(request: MixRequest): Promise<InterleavedAnswer | null> {
    const running = this.#running;
    if (running === null || !this.#takesPart(running.open, request)) return null;
    const { challenger } = running;
    const theirs = this.#ask(running, request);
    if (theirs === null) return null;
    const ours = request.live.recommendation;
    const drafted = teamDraft(
      { challenger: idsOf(theirs), baseline: idsOf(ours) },
      request.query.k,
      seededRandom(placeOf(request.requestId, "team-draft") * 2 ** 32),
    );
    if (!(await this.#remembered(running.open, request, drafted))) return null;
    this.#deps.events?.onOutcome?.("mixed");
    return {
      interleavedWith: challenger.version,
      recommendation: {
        // Scores of two models cannot be compared; by place, whoever sorts by score keeps the order.
        items: drafted.map(({ itemId }, position) => ({ itemId, score: 1 / (1 + position) })),
        source: sourceOf(ours.source, theirs.source),
      },
    };
  }

  #takesPart(open: OpenInterleaving, { userId, live }: MixRequest): boolean {
    if (live.model.version !== open.baseline || this.#elapsed() < this.#redisPausedUntil) return false;
    return isAssigned(userId, `interleaving/${open.attemptId}`, open.share);
  }

  #ask(running: Running, { query, live }: MixRequest): Recommendation | null {
    const { open, challenger, counts } = running;
    const { events } = this.#deps;
    counts.asked++;
    if (running.failuresInARow >= open.consecutiveFailures) {
      counts.failures++;
      events?.onOutcome?.("set-aside");
      return null;
    }
    const asked = withList(attempt(challenger, query, open.budgetMs, this.#elapsed), challenger, live);
    if (asked.outcome === "answered") {
      running.failuresInARow = 0;
      return asked.recommendation;
    }
    running.failuresInARow++;
    events?.onOutcome?.(asked.outcome);
    if (asked.outcome === "slow") counts.timeouts++;
    else {
      counts.failures++;
      events?.onChallengerFailed?.(challenger.version, asked.failure);
    }
    return null;
  }

  /**
   * When Redis kept the list but not in time, the user sees the live one: what is chosen from it can credit the
   * challenger for items of both only, so that the error favours the live model.
   */
  async #remembered(
    open: OpenInterleaving,
    { requestId, userId, source, historyThrough }: MixRequest,
    drafted: readonly DraftedItem[],
  ): Promise<boolean> {
    const { log, events } = this.#deps;
    const items = drafted.map(({ itemId }) => itemId);
    const teams = drafted.map(({ team }) => (team === "challenger" ? "c" : "b")).join("");
    try {
      const list = { requestId, userId, source, historyThrough, items, teams };
      const kept = await log.remember(open.attemptId, list, open.listsPerUser);
      if (!kept) events?.onOutcome?.("used-up");
      return kept;
    } catch (error) {
      this.#redisPausedUntil = this.#elapsed() + REDIS_PAUSE_MS;
      events?.onOutcome?.("not-remembered");
      events?.onError?.(error);
      return false;
    }
  }

  async #follow(): Promise<void> {
    await this.#tell();
    const open = await this.#deps.log.open();
    const running = this.#running;
    if (open === null) this.#running = null;
    else if (isSameRun(running?.open, open) && running !== null) running.open = open;
    else {
      this.#running = null;
      await this.#load(open);
    }
  }

  async #tell(): Promise<void> {
    const running = this.#running;
    if (running === null || running.counts.asked === 0) return;
    await this.#deps.log.report(running.open.attemptId, running.run, { ...running.counts });
  }

  async #load(open: OpenInterleaving): Promise<void> {
    const { attemptId, challenger: version } = open;
    if (this.#notLoaded.attemptId === attemptId && this.#elapsed() < this.#notLoaded.until) return;
    try {
      const challenger = await this.#deps.load(version);
      const counts = { asked: 0, failures: 0, timeouts: 0 };
      this.#running = { open, challenger, run: randomUUID(), counts, failuresInARow: 0 };
    } catch (error) {
      this.#notLoaded = { attemptId, until: this.#elapsed() + LOAD_PAUSE_MS };
      this.#deps.events?.onLoadFailed?.(version, error);
    }
  }
}

/** A later version of the challenger's line goes on in the same attempt, and is another one to ask. */
function isSameRun(running: OpenInterleaving | undefined, open: OpenInterleaving): boolean {
  return running?.attemptId === open.attemptId && running.challenger === open.challenger;
}

/** An empty list where the live version has one is a failure too. */
function withList(asked: Attempt, { version }: ServedModel, live: Answer): Attempt {
  if (asked.outcome !== "answered" || asked.recommendation.items.length > 0) return asked;
  if (live.recommendation.items.length === 0) return asked;
  return failed(new RangeError(`${version}: expected a list as the live version has, got none`));
}

function idsOf({ items }: Recommendation): ItemId[] {
  return items.map(({ itemId }) => itemId);
}

/** Two lists of one origin make a list of that origin; anything else holds items of both. */
function sourceOf(ours: Source, theirs: Source): Source {
  return ours === theirs ? ours : "model+popular";
}
