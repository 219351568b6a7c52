/** Ends what `take` began; a second call does nothing. */
export type Leave = () => void;

/** 0.8 / (1 - 0.8) is a little more than 4. */
const ROUNDING = 1e-9;

/**
 * Room for so much work at once, and some of it always left: a client may have so many times as much as is free at the
 * moment (the dynamic threshold of Choudhury and Hahne 1998). One alone then has its share of the room, and of several
 * who want all of it each gets about as much as the others, whoever came first.
 */
export class Slots {
  readonly #room: () => number;
  readonly #timesFree: number;
  readonly #byClient = new Map<string, number>();
  #taken = 0;

  /** @param clientShare what one client alone may have of the room, 0 … 1 */
  constructor(room: () => number, clientShare: number) {
    this.#room = room;
    this.#timesFree = clientShare / (1 - clientShare) - ROUNDING;
  }

  get full(): boolean {
    return this.#taken >= this.#room();
  }

  hasRoomFor(client: string): boolean {
    const free = this.#room() - this.#taken;
    return free > 0 && (this.#byClient.get(client) ?? 0) < this.#timesFree * free;
  }

  /** Null when there is no room for this client. */
  take(client: string): Leave | null {
    if (!this.hasRoomFor(client)) return null;
    const ofClient = this.#byClient.get(client) ?? 0;
    this.#taken++;
    this.#byClient.set(client, ofClient + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#taken--;
      const rest = (this.#byClient.get(client) ?? 1) - 1;
      if (rest === 0) this.#byClient.delete(client);
      else this.#byClient.set(client, rest);
    };
  }
}
