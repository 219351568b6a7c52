import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Catalogue, Interaction } from "../../models/data/interaction-log.ts";
import type { ListFault } from "../../models/evaluation/list-faults.ts";
import { isRemoteVersion } from "../../models/remote/remote.ts";
import { modelOf } from "../../services/artifacts/artifact-store.ts";
import type { ArtifactStore, CheckedArtifact } from "../../services/artifacts/types.ts";
import type { LaneAnswer, LaneFault } from "../../services/shadow/types.ts";
import { RemoteLane } from "./remote-lane.ts";

/** Where lanes get what their threads are given. */
export interface LaneSource {
  readonly artifacts: Pick<ArtifactStore, "checked">;
  catalogue(): Promise<Catalogue>;
}

export interface LanesOptions {
  readonly source: LaneSource;
  /** A query without an answer for this long has failed. */
  readonly timeoutMs: number;
  /** A thread whose heap grows beyond this is ended. */
  readonly heapMb: number;
  /** A version that ends its thread this often in a row is not asked the rest of a batch. */
  readonly consecutiveFaults: number;
  /** Module that a lane's thread runs. */
  readonly entry?: URL | undefined;
  /** Where rankers behind a URL may be asked (default: nowhere). */
  readonly allowedOrigins?: readonly string[] | undefined;
}

/** What a lane thread is given: it reads no store by itself. */
export interface LaneSetup {
  readonly artifact: CheckedArtifact;
  readonly catalogue: Catalogue;
}

export interface LaneQuery {
  readonly history: readonly Interaction[];
  readonly exclude: readonly string[];
  /** Bits of the filter of what was seen before the history; null for nothing. */
  readonly seen: Uint8Array | null;
  readonly genre?: string | undefined;
  readonly k: number;
  /** Whether to ask the same again at once, to see that the answer is the same. */
  readonly repeat: boolean;
}

/** One query's answer as the thread sends it. */
export interface LaneReply {
  readonly items: readonly string[];
  readonly elapsedMs: number;
  readonly broken: readonly ListFault[];
  readonly repeated: boolean | null;
  readonly memoryMb: number;
  readonly error: string | null;
}

/**
 * Asks versions in the shadow, each in a worker thread of its own. A version that throws has answered with a fault; one
 * that hangs is killed after `timeoutMs`, one that fills its heap at `heapMb`. None of this reaches the worker process
 * or the other lanes.
 */
export class Lanes {
  readonly #source: LaneSource;
  readonly #timeoutMs: number;
  readonly #heapMb: number;
  readonly #consecutiveFaults: number;
  readonly #entry: URL;
  readonly #threads = new Map<string, Promise<Worker>>();
  readonly #allowedOrigins: readonly string[];
  /** By version: its sham is asked by the same circuit breaker. */
  readonly #remotes = new Map<string, Promise<RemoteLane>>();
  #closed = false;

  constructor({ source, timeoutMs, heapMb, consecutiveFaults, entry, allowedOrigins }: LanesOptions) {
    this.#source = source;
    this.#timeoutMs = timeoutMs;
    this.#heapMb = heapMb;
    this.#consecutiveFaults = consecutiveFaults;
    this.#allowedOrigins = allowedOrigins ?? [];
    this.#entry = entry ?? new URL("./lane-thread.js", import.meta.url);
  }

  /**
   * Answers in the order of the queries. `lane` tells two lanes of one version apart (the sham).
   * @throws when the lanes are closed meanwhile: that is no fault of the version
   */
  async ask(lane: string, version: string, queries: readonly LaneQuery[]): Promise<LaneAnswer[]> {
    if (isRemoteVersion(version)) return this.#askRemote(version, queries);
    const answers: LaneAnswer[] = [];
    let inARow = 0;
    while (answers.length < queries.length) {
      this.#requireOpen();
      let thread: Worker;
      try {
        thread = await this.#thread(lane, version);
      } catch (error) {
        // The artifact does not load: every query of the batch fails, and says why.
        this.#threads.delete(lane);
        const failed = faulty("error", 0, String(error));
        return filledUp(answers, queries.length, failed);
      }
      this.#requireOpen();
      const before = answers.length;
      const fault = await this.#collect(thread, queries.slice(before), answers);
      if (fault === null) break;
      this.#requireOpen();
      inARow = answers.length === before ? inARow + 1 : 1;
      answers.push(fault);
      await this.#end(lane, thread);
      if (inARow === this.#consecutiveFaults) return filledUp(answers, queries.length, fault);
    }
    return answers;
  }

  async #askRemote(version: string, queries: readonly LaneQuery[]): Promise<LaneAnswer[]> {
    const lane = this.#remotes.get(version) ?? this.#openRemote(version);
    this.#remotes.set(version, lane);
    try {
      return await (await lane).ask(queries);
    } catch (error) {
      this.#remotes.delete(version);
      return filledUp([], queries.length, faulty("error", 0, String(error)));
    }
  }

  async #openRemote(version: string): Promise<RemoteLane> {
    const { artifacts, catalogue } = this.#source;
    const [artifact, items] = await Promise.all([artifacts.checked(version), catalogue()]);
    return new RemoteLane({
      model: modelOf(artifact),
      catalogue: items,
      timeoutMs: this.#timeoutMs,
      consecutiveFaults: this.#consecutiveFaults,
      allowedOrigins: this.#allowedOrigins,
      now: Date.now,
    });
  }

  /** Ends the lanes that are not in use any more. */
  async keepOnly(lanes: ReadonlySet<string>): Promise<void> {
    for (const version of this.#remotes.keys()) if (!lanes.has(version)) this.#remotes.delete(version);
    const ended = [...this.#threads].filter(([lane]) => !lanes.has(lane));
    await Promise.all(
      ended.map(async ([lane, starting]) => this.#end(lane, await starting.catch(() => null))),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.keepOnly(new Set());
  }

  /** A thread that a batch under way would start after the others were ended keeps its process alive for ever. */
  #requireOpen(): void {
    if (this.#closed) throw new Error("lanes: expected them open, but they are closed; ask again elsewhere");
  }

  async #end(lane: string, thread: Worker | null): Promise<void> {
    this.#threads.delete(lane);
    await thread?.terminate();
  }

  #thread(lane: string, version: string): Promise<Worker> {
    const running = this.#threads.get(lane);
    if (running !== undefined) return running;
    const starting = this.#start(version);
    this.#threads.set(lane, starting);
    return starting;
  }

  async #start(version: string): Promise<Worker> {
    const { artifacts, catalogue } = this.#source;
    const [artifact, items] = await Promise.all([artifacts.checked(version), catalogue()]);
    return startThread(this.#entry, { artifact, catalogue: items }, this.#heapMb);
  }

  /** Pushes answers as they come; the clock restarts at each. Returns the fault that ended the thread, or null. */
  #collect(thread: Worker, queries: readonly LaneQuery[], answers: LaneAnswer[]): Promise<LaneAnswer | null> {
    return new Promise((resolve) => {
      let left = queries.length;
      const finish = (fault: LaneAnswer | null): void => {
        clearTimeout(timer);
        thread.off("message", onReply).off("error", onError).off("exit", onExit);
        resolve(fault);
      };
      const onReply = (reply: LaneReply): void => {
        const { error, ...answer } = reply;
        answers.push(
          error === null ? { ...answer, fault: null } : { ...answer, fault: "error", message: error },
        );
        left--;
        if (left === 0) finish(null);
        else timer.refresh();
      };
      const fault = (kind: LaneFault, message: string): LaneAnswer => faulty(kind, this.#timeoutMs, message);
      const onError = (error: Error): void => finish(fault("error", error.message));
      const onExit = (code: number): void => finish(fault("error", `lane ended with exit code ${code}`));
      const timer = setTimeout(
        () => finish(fault("timeout", `no answer within ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      );
      thread.on("message", onReply).on("error", onError).on("exit", onExit);
      thread.postMessage(queries);
    });
  }
}

function faulty(fault: LaneFault, elapsedMs: number, message: string): LaneAnswer {
  return { items: [], elapsedMs, fault, broken: [], repeated: null, message };
}

/** The queries that are left unasked fail like the last one. */
function filledUp(answers: readonly LaneAnswer[], length: number, fault: LaneAnswer): LaneAnswer[] {
  return [...answers, ...new Array<LaneAnswer>(length - answers.length).fill(fault)];
}

/** The bytes are handed over, not copied: nobody else holds them. */
async function startThread(entry: URL, { artifact, catalogue }: LaneSetup, heapMb: number): Promise<Worker> {
  const bytes = inOwnBuffer(artifact.bytes);
  const workerData: LaneSetup = { artifact: { ...artifact, bytes }, catalogue };
  const resourceLimits = { maxOldGenerationSizeMb: heapMb };
  const thread = new Worker(entry, { workerData, resourceLimits, transferList: [bytes.buffer] });
  await once(thread, "message");
  // Faults during a batch are collected above; one between two batches is found by the next.
  thread.on("error", () => {});
  return thread;
}

/** A small file may be read into a buffer that others share, which must not be handed over. */
function inOwnBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : Uint8Array.from(bytes);
}
