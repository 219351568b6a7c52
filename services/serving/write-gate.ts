import { PhasewiseError } from "../errors.ts";

/** After a write that failed, so long nobody tries another, milliseconds. */
const PAUSE_MS = 500;

/** Once the store has failed a write, the next ones are refused at once: one at a time tries whether it is back. */
export class WriteGate {
  readonly #now: () => number;
  #failing = false;
  #trying = false;
  #nextTryAt = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @throws STORE_UNAVAILABLE */
  async write<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failing) {
      if (this.#trying || this.#now() < this.#nextTryAt) {
        throw new PhasewiseError(
          "STORE_UNAVAILABLE",
          "expected Redis to answer, and it failed a moment ago; nothing was sent, try again with the same ids",
        );
      }
      this.#trying = true;
    }
    try {
      const result = await work();
      this.#failing = false;
      return result;
    } catch (error) {
      if (error instanceof PhasewiseError && error.code === "STORE_UNAVAILABLE") {
        this.#failing = true;
        this.#nextTryAt = this.#now() + PAUSE_MS;
      }
      throw error;
    } finally {
      this.#trying = false;
    }
  }
}
