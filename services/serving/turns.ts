/** Lists are made for so long in one turn of the event loop, milliseconds; one at least. */
const BUDGET_MS = 4;
const MOST_LISTS = 16;
/** Turns in a row that the lists leave to new connections. */
const MOST_LEFT = 8;

/**
 * A few lists a turn of the event loop. Redis answers many requests with one packet: worked on in a row they would hold
 * the loop for as long as all of them take. And a turn is what it costs to be heard, for Node takes one new connection in
 * each (libuv since 1.45): with a hundred lists a turn, those who connect would wait for seconds in the kernel, where no
 * limit of this service sees them. While connections come, they go first.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  /** Of this turn: how many may still be given, and when the first was; null before it. */
  #scheduled = 0;
  #beganAt: number | null = null;
  #leave = false;
  #left = 0;
  #connected = false;

  /** Resolves in the order of the calls, when there is time in a turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#scheduled === 0) this.#schedule();
    });
  }

  /** To be called for each new connection. */
  connected(): void {
    this.#connected = true;
  }

  /** What is set for immediately all runs in the next turn, and each list is made before the next of them runs. */
  #schedule(): void {
    this.#scheduled = Math.min(this.#waiting.length, MOST_LISTS);
    this.#beganAt = null;
    for (let n = 0; n < this.#scheduled; n++) setImmediate(this.#give);
  }

  readonly #give = (): void => {
    if (this.#beganAt === null) this.#begin();
    const spentMs = performance.now() - (this.#beganAt ?? 0);
    if (!this.#leave && spentMs < BUDGET_MS) this.#waiting.shift()?.();
    this.#scheduled--;
    if (this.#scheduled === 0 && this.#waiting.length > 0) this.#schedule();
  };

  #begin(): void {
    this.#beganAt = performance.now();
    this.#leave = this.#connected && this.#left < MOST_LEFT;
    this.#left = this.#leave ? this.#left + 1 : 0;
    this.#connected = false;
  }
}
