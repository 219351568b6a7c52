import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { isAssigned } from "../../models/gate/assignment.ts";
import { PhasewiseError } from "../errors.ts";
import type { ShadowBatch, ShadowRequest } from "../queues/types.ts";

export type ShedReason = "ring-full" | "queue-full" | "queue-unavailable";

export interface ShadowTapOptions {
  /** Share of requests copied, 0 … 1. */
  readonly rate: number;
  /** Whether a user is in the panel (default: everybody is). */
  readonly isInPanel?: ((user: string, now: number) => boolean) | undefined;
  /** Rejects with OVERLOADED when the queue refused the batch; after any other error it may have arrived. */
  readonly send: (batch: ShadowBatch) => Promise<unknown>;
  readonly onShed: (reason: ShedReason, requests: number) => void;
  readonly capacity?: number;
  readonly batchSize?: number;
  readonly flushEveryMs?: number;
  /** Pause between two batches, milliseconds. */
  readonly pauseMs?: number;
}

/**
 * Copies a sample of the answered requests to the shadow queue. The sample is a function of the request id, so
 * it is settled before anything is scored; the copy is offered after the reply. Between the two lies a bounded
 * ring: when it is full, or when the queue refuses a batch, requests are dropped and counted.
 *
 * A request is recorded or counted as shed, never both: a batch whose fate is unknown (the queue did not answer in
 * time) is sent again, under the same id, before anything else until it is known, and the ring fills meanwhile.
 */
export class ShadowTap {
  readonly #options: ShadowTapOptions;
  readonly #capacity: number;
  readonly #batchSize: number;
  readonly #pauseMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #run = randomUUID();
  /** Sampled requests so far, and those of them that some batch accounts for. */
  #offered = 0;
  #accountedFor = 0;
  #waiting: ShadowRequest[] = [];
  #shed = 0;
  /** Sent at least once, and nobody knows whether it arrived. */
  #inDoubt: ShadowBatch | null = null;
  #sending: Promise<void> | undefined;
  #closing = false;

  constructor(options: ShadowTapOptions) {
    this.#options = options;
    this.#capacity = options.capacity ?? 2000;
    this.#batchSize = options.batchSize ?? 100;
    this.#pauseMs = options.pauseMs ?? 20;
    this.#timer = setInterval(() => void this.flush(), options.flushEveryMs ?? 250).unref();
  }

  /** Of nobody's choices anything can be learned, so that whoever names no user is copied by the request alone. */
  samples(requestId: string, user: string | null, now: number): boolean {
    const { rate, isInPanel } = this.#options;
    if (!isAssigned(requestId, "shadow", rate)) return false;
    return user === null || isInPanel === undefined || isInPanel(user, now);
  }

  offer(request: ShadowRequest): void {
    this.#offered++;
    if (this.#waiting.length < this.#capacity) this.#waiting.push(request);
    else this.#drop(this.#inDoubt === null ? "ring-full" : "queue-unavailable", 1);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Sends all that waits, one batch at a time; never rejects. */
  flush(): Promise<void> {
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing = true;
    await this.flush();
  }

  #drop(reason: ShedReason, requests: number): void {
    this.#shed += requests;
    this.#options.onShed(reason, requests);
  }

  async #drain(): Promise<void> {
    // What was shed is owed to the evidence even when nothing follows it.
    while (this.#inDoubt !== null || this.#waiting.length > 0 || this.#shed > 0) {
      const again = this.#inDoubt;
      const batch = again ?? this.#nextBatch();
      try {
        await this.#options.send(batch);
        this.#inDoubt = null;
        // Batches without a pause between them would hold up the requests that are answered meanwhile.
        if (this.#waiting.length > 0 && !this.#closing) await pause(this.#pauseMs);
      } catch (error) {
        const refused = error instanceof PhasewiseError && error.code === "OVERLOADED";
        // When a batch is refused the second time it is sent, the first one may still have arrived.
        if (refused && again === null) this.#giveUp(batch);
        else this.#inDoubt = batch;
        return;
      }
    }
  }

  #nextBatch(): ShadowBatch {
    const shed = this.#shed;
    this.#shed = 0;
    const requests = this.#waiting.splice(0, this.#batchSize);
    // Counted apart from the requests and the shed ones, so that a comparison of the sums finds what was forgotten.
    const span = { run: this.#run, from: this.#accountedFor, through: this.#offered - this.#waiting.length };
    this.#accountedFor = span.through;
    return { id: randomUUID(), span, requests, shed };
  }

  /** The next batch accounts for it. */
  #giveUp({ span, requests, shed }: ShadowBatch): void {
    this.#accountedFor = span.from;
    this.#shed += shed;
    if (requests.length > 0) this.#drop("queue-full", requests.length);
  }
}
