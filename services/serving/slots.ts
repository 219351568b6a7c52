/** Ends what `take` began; a second call does nothing. */
export type Leave = () => void;

/** Room for so much work at once. No client may have more than a share of it, so that one alone never takes it all. */
export class Slots {
  readonly #room: () => number;
  readonly #clientShare: number;
  readonly #byClient = new Map<string, number>();
  #taken = 0;

  /** @param clientShare of the room, 0 … 1 */
  constructor(room: () => number, clientShare: number) {
    this.#room = room;
    this.#clientShare = clientShare;
  }

  get full(): boolean {
    return this.#taken >= this.#room();
  }

  hasRoomFor(client: string): boolean {
    const ofClient = this.#byClient.get(client) ?? 0;
    return !this.full && ofClient < Math.ceil(this.#clientShare * this.#room());
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
