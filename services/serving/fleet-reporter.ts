import { LATENCY_BUCKETS, latencyBucket } from "../../models/gate/fleet.ts";
import type { ReplicaReport } from "../fleet/types.ts";

export interface FleetReporterOptions {
  readonly send: (report: ReplicaReport) => Promise<unknown>;
  /** Milliseconds between two reports, and the length of a slot (default 1000). */
  readonly everyMs?: number | undefined;
  /** Slots that a report covers (default 60). */
  readonly slots?: number | undefined;
}

interface Slot {
  requests: number;
  errors: number;
  readonly latency: Uint32Array;
}

const emptySlot = (): Slot => ({ requests: 0, errors: 0, latency: new Uint32Array(LATENCY_BUCKETS) });

/**
 * Says once a second how the live version fared in this replica over the last minute. A report that does not
 * arrive is replaced by the next one. What one version did is never counted for another: a new lineup starts
 * from nothing.
 */
export class FleetReporter {
  readonly #send: FleetReporterOptions["send"];
  readonly #slots: number;
  readonly #timer: NodeJS.Timeout;
  #serving: { readonly version: string; readonly epoch: number } | null = null;
  /** Newest last. */
  #window: Slot[] = [emptySlot()];
  #sending: Promise<void> | undefined;

  constructor({ send, everyMs = 1000, slots = 60 }: FleetReporterOptions) {
    this.#send = send;
    this.#slots = slots;
    this.#timer = setInterval(() => void this.tick(), everyMs).unref();
  }

  /** `epoch`: at which the version went live. The same epoch again does not begin a new window. */
  serves(version: string, epoch: number): void {
    if (this.#serving?.version === version && this.#serving.epoch === epoch) return;
    this.#serving = { version, epoch };
    this.#window = [emptySlot()];
  }

  /** One request of the live version's: what it took, or null when it did not answer. */
  record(elapsedMs: number | null): void {
    const slot = this.#window[this.#window.length - 1];
    slot.requests++;
    if (elapsedMs === null) slot.errors++;
    else slot.latency[latencyBucket(elapsedMs)]++;
  }

  /** Sends the window and moves it on; never rejects, and never sends two reports at once. */
  tick(): Promise<void> {
    const report = this.#report();
    this.#window.push(emptySlot());
    if (this.#window.length > this.#slots) this.#window.shift();
    if (report === null) return Promise.resolve();
    this.#sending ??= this.#send(report).then(
      () => this.#sent(),
      () => this.#sent(),
    );
    return this.#sending;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
  }

  #sent(): void {
    this.#sending = undefined;
  }

  #report(): ReplicaReport | null {
    if (this.#serving === null) return null;
    const sum = emptySlot();
    for (const { requests, errors, latency } of this.#window) {
      sum.requests += requests;
      sum.errors += errors;
      for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) sum.latency[bucket] += latency[bucket];
    }
    return { ...this.#serving, ...sum, latency: [...sum.latency] };
  }
}
