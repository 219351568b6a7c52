import { DEFAULT_POLICY } from "../../models/gate/policy.ts";
import type { Query } from "../../models/recommender.ts";
import type { ArtifactStore } from "../artifacts/types.ts";
import { PhasewiseError } from "../errors.ts";
import type { LivePointer, Registry } from "../registry/types.ts";
import { type AnswerEvents, Answers } from "./answers.ts";
import type { BreakerLimits } from "./breaker.ts";
import { Canary, type CanaryEvents } from "./canary.ts";
import type { LastLiveFile } from "./last-live.ts";
import { type Answer, canaryOf, type Lineup, modelIn } from "./lineup.ts";
import { readyModel, type ServedModel } from "./served-model.ts";

/**
 * The promoted model of this replica.
 *
 * Everything a request needs is one immutable Lineup: the live model, the one a rollback returns to, the phase-1
 * floor, and the canary while one runs, all in memory. A request reads the reference once, so one lineup answers it
 * however often the pointer moves meanwhile. To follow a pointer, the next lineup is made first (load, check, smoke
 * query), and then the reference is swapped; when a version does not load, the old lineup goes on serving. Pointers
 * are followed one at a time, and never to an earlier epoch.
 */
export interface LiveModelEvents extends AnswerEvents {
  /** `broken`: the live model is set aside, as it was before a step of the canary. */
  onSwap?(lineup: Lineup, broken: boolean): void;
  onLoadFailed?(version: string, error: unknown): void;
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

/** Epoch of a lineup that came from the local file: whatever the registry says is newer. */
const UNCONFIRMED_EPOCH = 0;

export class LiveModel {
  readonly #deps: LiveModelDeps;
  readonly #answers: Answers;
  readonly #canary: Canary;
  #lineup: Lineup | null = null;
  #wanted: LivePointer | null = null;
  #following: Promise<void> = Promise.resolve();
  #watch: { close(): Promise<void> } | null = null;
  readonly #retries = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(deps: LiveModelDeps) {
    this.#deps = deps;
    const limits = deps.breaker ?? DEFAULT_POLICY.rollback;
    this.#answers = new Answers(limits, deps.events);
    this.#canary = new Canary(limits, deps.events?.canary);
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

  /** Serves what the registry says is live; else, while it does not answer, what this machine last served. */
  async start(): Promise<void> {
    try {
      const pointer = await this.#deps.registry.live();
      if (pointer !== null) await this.follow(pointer);
    } catch {
      await this.#serveLastKnown();
    }
    await this.#startWatching();
  }

  /**
   * Answers from the canary when the user is on it, else from the live model or what stands in for it.
   * @throws NOT_READY
   */
  recommend(query: Query, user: string | null = null): Answer {
    const lineup = this.#lineup;
    if (lineup === null) {
      throw new PhasewiseError(
        "NOT_READY",
        "no model is live yet: expected a first promotion; train and promote a phase-1 model",
      );
    }
    const trial = this.#canary.answer(lineup.canary, query, user);
    if (trial !== null) return trial;
    return this.#answers.answer(lineup, query);
  }

  /** Resolves once this pointer (or a newer one) is served, or has turned out not to load. */
  follow(pointer: LivePointer): Promise<void> {
    if (this.#wanted === null || pointer.epoch > this.#wanted.epoch) this.#wanted = pointer;
    this.#following = this.#following.then(() => this.#catchUp());
    return this.#following;
  }

  /** Loads and checks a version as serving would. @throws ARTIFACT_REFUSED, NOT_FOUND */
  async tryOut(version: string): Promise<ServedModel> {
    return modelIn(this.#lineup, version) ?? (await this.#load(version));
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

  async #serveLastKnown(): Promise<void> {
    const pointer = await this.#deps.lastLive?.read();
    // A canary that nobody confirms might have been rolled back since.
    if (pointer !== null && pointer !== undefined)
      await this.follow({ ...pointer, epoch: UNCONFIRMED_EPOCH, canary: null });
  }

  async #catchUp(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null || this.#closed) return;
    const old = this.#lineup;
    if (old !== null && wanted.epoch <= old.epoch) {
      if (wanted.epoch === old.epoch && wanted.canary !== null && old.canary === null) {
        await this.#complete(wanted);
      }
      return;
    }
    let live: ServedModel;
    try {
      live = modelIn(old, wanted.version) ?? (await this.#load(wanted.version));
    } catch (error) {
      this.#deps.events?.onLoadFailed?.(wanted.version, error);
      this.#later(() => this.follow(wanted));
      return;
    }
    await this.#deps.beforeSwap?.().catch(() => {});
    this.#swap({
      epoch: wanted.epoch,
      liveEpoch: wanted.liveEpoch,
      live,
      previous: modelIn(old, wanted.previous),
      floor: modelIn(old, wanted.floor),
      canary: canaryOf(wanted, modelIn(old, wanted.canary?.version)),
    });
    // Fall-backs and canary may be loaded after the swap: the live model answers already.
    await this.#complete(wanted);
    if (wanted.epoch !== UNCONFIRMED_EPOCH) await this.#deps.lastLive?.write(wanted).catch(() => {});
  }

  async #complete(pointer: LivePointer): Promise<void> {
    const lineup = this.#lineup;
    if (lineup === null) return;
    const previous = await this.#loadedOrNull(pointer.previous);
    const floor = pointer.floor === previous?.version ? previous : await this.#loadedOrNull(pointer.floor);
    const canary = canaryOf(pointer, await this.#loadedOrNull(pointer.canary?.version ?? null));
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

  async #loadedOrNull(version: string | null): Promise<ServedModel | null> {
    if (version === null) return null;
    try {
      return modelIn(this.#lineup, version) ?? (await this.#load(version));
    } catch (error) {
      this.#deps.events?.onLoadFailed?.(version, error);
      return null;
    }
  }

  /** The registry's hash of the manifest is checked when the registry can be asked; the file's own always is. */
  async #load(version: string): Promise<ServedModel> {
    const record = await this.#deps.registry.version(version).catch(() => null);
    return readyModel(await this.#deps.artifacts.load(version, record?.manifestSha256));
  }

  #later(work: () => Promise<unknown>): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      void work();
    }, this.#deps.retryMs ?? 1000).unref();
    this.#retries.add(timer);
  }
}
