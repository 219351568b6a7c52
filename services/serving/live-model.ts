import { DEFAULT_POLICY } from "../../models/gate/policy.ts";
import type { Query } from "../../models/recommender.ts";
import type { ArtifactStore } from "../artifacts/types.ts";
import { PhasewiseError } from "../errors.ts";
import { isSamePointer } from "../registry/lineage.ts";
import type { LivePointer, Registry } from "../registry/types.ts";
import { type AnswerEvents, Answers, answerFrom } from "./answers.ts";
import type { BreakerLimits } from "./breaker.ts";
import { Canary, type CanaryEvents } from "./canary.ts";
import type { LastLiveFile } from "./last-live.ts";
import { type Answer, canaryOf, type Lineup, modelIn } from "./lineup.ts";
import { ModelLoader } from "./model-loader.ts";
import type { ServedModel } from "./served-model.ts";
import { NOTHING_LIVE, troubleOf, type Unservable } from "./trouble.ts";
import { WantedPointer } from "./wanted-pointer.ts";

/**
 * The promoted model of this replica.
 *
 * Everything a request needs is one immutable Lineup: the live model, the one a rollback returns to, the phase-1
 * floor, and the canary while one runs, all in memory. A request reads the reference once, so one lineup answers it
 * however often the pointer moves meanwhile. To follow a pointer, the next lineup is made first (load, check, smoke
 * query), and then the reference is swapped; when a version does not load, the old lineup goes on serving, and where
 * there is none, what a rollback would return to. Pointers are followed one at a time, and never to an earlier one.
 */
export interface LiveModelEvents extends AnswerEvents {
  /** `broken`: the live model is set aside, as it was before a step of the canary. */
  onSwap?(lineup: Lineup, broken: boolean): void;
  onLoadFailed?(version: string, error: unknown): void;
  /** Redis says less than it had said already; `words` has what it says and what is served. */
  onRegistryLost?(words: string): void;
  readonly canary?: CanaryEvents;
}

export interface LiveModelDeps {
  readonly registry: Pick<Registry, "live" | "version" | "watchLive">;
  readonly artifacts: Pick<ArtifactStore, "load">;
  readonly lastLive: LastLiveFile | null;
  /** When the live model has failed too often (default: the default policy's). */
  readonly breaker?: BreakerLimits;
  readonly events?: LiveModelEvents;
  /** Awaited before a lineup is swapped in, for whatever else a reply needs; failing it stops nothing. */
  readonly beforeSwap?: () => Promise<void>;
  /** Pause before a start or a load that failed is tried again, milliseconds. */
  readonly retryMs?: number;
}

/** Epoch of a lineup that is not what the registry says: it came from the local file, or stands in for a damaged one. */
const UNCONFIRMED_EPOCH = 0;
/** A version that does not load is tried again after twice as long each time, up to this long, milliseconds. */
const LONGEST_RETRY_MS = 30_000;

export class LiveModel {
  readonly #deps: LiveModelDeps;
  readonly #answers: Answers;
  readonly #canary: Canary;
  #lineup: Lineup | null = null;
  readonly #pointer = new WantedPointer();
  readonly #loader: ModelLoader;
  #unservable: (Unservable & { readonly tries: number }) | null = null;
  /** What the lineup shows, where the registry has said so. */
  #served: LivePointer | null = null;
  #following: Promise<void> = Promise.resolve();
  #watch: { close(): Promise<void> } | null = null;
  readonly #retries = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(deps: LiveModelDeps) {
    this.#deps = deps;
    const limits = deps.breaker ?? DEFAULT_POLICY.rollback;
    this.#answers = new Answers(limits, deps.events);
    this.#canary = new Canary(limits, deps.events?.canary);
    const { registry, artifacts } = deps;
    const onFailed = (version: string, error: unknown) => deps.events?.onLoadFailed?.(version, error);
    this.#loader = new ModelLoader({ registry, artifacts, onFailed });
  }

  get lineup(): Lineup | null {
    return this.#lineup;
  }

  get broken(): boolean {
    return this.#answers.liveSetAside;
  }

  get canarySetAside(): boolean {
    const canary = this.#lineup?.canary ?? null;
    return canary !== null && this.#canary.hasSetAside(canary.model);
  }

  /** Why the version that should be live is not what answers, in words with the remedy; null when it is. */
  get trouble(): string | null {
    const { wanted, loss } = this.#pointer;
    const served = this.#lineup?.live.version ?? null;
    return troubleOf({ unservable: this.#unservable, wanted, loss, served });
  }

  /** Serves what the registry says is live; while it does not answer, or has lost that, what this machine last served. */
  async start(): Promise<void> {
    const last = (await this.#deps.lastLive?.read()) ?? null;
    if (last !== null) this.#pointer.remember(last);
    try {
      await this.follow(await this.#deps.registry.live());
    } catch {
      // Nobody can be asked; the watch goes on asking.
    }
    if (this.#lineup === null && last !== null) await this.#serveLastKnown(last);
    await this.#startWatching();
  }

  /**
   * Answers from the canary when the user is on it, else from the live model or what stands in for it.
   * @throws NOT_READY
   */
  recommend(query: Query, user: string | null = null): Answer {
    const lineup = this.#lineup;
    if (lineup === null) throw new PhasewiseError("NOT_READY", this.trouble ?? NOTHING_LIVE);
    const trial = this.#canary.answer(lineup.canary, query, user);
    if (trial !== null) return trial;
    return this.#answers.answer(lineup, query);
  }

  /** Of the phase-1 floor, for users who stay there; null while it is live itself, not loaded, or fails. */
  recommendFromFloor(query: Query): Answer | null {
    const lineup = this.#lineup;
    if (lineup === null || lineup.floor === null || lineup.floor.version === lineup.live.version) return null;
    return answerFrom(lineup.floor, query);
  }

  /**
   * Resolves once this pointer (or a newer one) is served, or has turned out not to load. Null when the registry says
   * that nothing is live.
   */
  follow(pointer: LivePointer | null): Promise<void> {
    const older = !this.#pointer.hear(pointer);
    this.#following = this.#following
      .then(() => (older ? this.#askAgain() : undefined))
      .then(() => this.#catchUp());
    return this.#following;
  }

  /** Loads and checks a version as serving would. @throws ARTIFACT_REFUSED, NOT_FOUND */
  async tryOut(version: string): Promise<ServedModel> {
    return await this.#loader.load(version, this.#lineup);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#retries) clearTimeout(timer);
    await this.#watch?.close();
    await this.#following;
  }

  async #startWatching(): Promise<void> {
    if (this.#closed) return;
    try {
      this.#watch = await this.#deps.registry.watchLive((pointer) => void this.follow(pointer));
    } catch {
      this.#later(() => this.#startWatching());
    }
  }

  /** A late message must not be taken for a loss: only what is read now is. */
  async #askAgain(): Promise<void> {
    if (this.#closed) return;
    try {
      const read = await this.#deps.registry.live();
      if (this.#pointer.hear(read) || !this.#pointer.lose(read)) return;
      this.#deps.events?.onRegistryLost?.(this.trouble ?? "");
    } catch {
      this.#later(() => this.#askAgain());
    }
  }

  async #serveLastKnown(pointer: LivePointer): Promise<void> {
    // A canary that nobody confirms might have been rolled back since.
    const unconfirmed = { ...pointer, epoch: UNCONFIRMED_EPOCH, canary: null };
    this.#following = this.#following.then(() => this.#serve(unconfirmed));
    await this.#following;
  }

  async #catchUp(): Promise<void> {
    const { wanted, confirmed } = this.#pointer;
    if (wanted === null || !confirmed || this.#closed) return;
    if (!isSamePointer(wanted, this.#served)) await this.#serve(wanted);
    else if (wanted.canary !== null && this.#lineup?.canary === null) await this.#complete(wanted);
  }

  async #serve(pointer: LivePointer): Promise<void> {
    const old = this.#lineup;
    let live: ServedModel;
    try {
      live = await this.#loader.load(pointer.version, old);
    } catch (error) {
      this.#deps.events?.onLoadFailed?.(pointer.version, error);
      this.#cannotServe(pointer.version, error);
      if (old === null) await this.#standInFor(pointer);
      return;
    }
    this.#unservable = null;
    await this.#deps.beforeSwap?.().catch(() => {});
    this.#swap({
      epoch: pointer.epoch,
      liveEpoch: pointer.liveEpoch,
      live,
      previous: modelIn(old, pointer.previous),
      floor: modelIn(old, pointer.floor),
      canary: canaryOf(pointer, modelIn(old, pointer.canary?.version)),
    });
    // Fall-backs and canary may be loaded after the swap: the live model answers already.
    await this.#complete(pointer);
    if (pointer.epoch === UNCONFIRMED_EPOCH) return;
    this.#served = pointer;
    await this.#deps.lastLive?.write(pointer).catch(() => {});
  }

  #cannotServe(version: string, error: unknown): void {
    const tries = this.#unservable?.version === version ? this.#unservable.tries + 1 : 1;
    this.#unservable = { version, reason: error instanceof Error ? error.message : String(error), tries };
    this.#later(() => this.follow(this.#pointer.wanted), 2 ** (tries - 1));
  }

  /** What a rollback would return to answers, where nothing else does: the one before, else the floor. */
  async #standInFor({ previous, floor }: LivePointer): Promise<void> {
    const before = await this.#loader.tryToLoad(previous, null);
    const lowest = floor === previous ? before : await this.#loader.tryToLoad(floor, null);
    const live = before ?? lowest;
    if (live === null) return;
    await this.#deps.beforeSwap?.().catch(() => {});
    const epoch = UNCONFIRMED_EPOCH;
    this.#swap({ epoch, liveEpoch: epoch, live, previous: null, floor: lowest, canary: null });
  }

  async #complete(pointer: LivePointer): Promise<void> {
    const lineup = this.#lineup;
    if (lineup === null) return;
    const load = (version: string | null) => this.#loader.tryToLoad(version, this.#lineup);
    const previous = await load(pointer.previous);
    const floor = pointer.floor === previous?.version ? previous : await load(pointer.floor);
    const canary = canaryOf(pointer, await load(pointer.canary?.version ?? null));
    if (pointer.canary !== null && canary === null) this.#later(() => this.follow(pointer));
    this.#lineup = { ...lineup, previous, floor, canary };
  }

  #swap(lineup: Lineup): void {
    const old = this.#lineup;
    this.#lineup = lineup;
    // The steps of a canary say nothing about the live model.
    if (lineup.liveEpoch !== old?.liveEpoch) this.#answers.reset();
    this.#deps.events?.onSwap?.(lineup, this.broken);
  }

  #later(work: () => Promise<unknown>, times = 1): void {
    if (this.#closed) return;
    const ms = Math.min((this.#deps.retryMs ?? 1000) * times, LONGEST_RETRY_MS);
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      void work();
    }, ms).unref();
    this.#retries.add(timer);
  }
}
