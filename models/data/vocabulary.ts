/** A frozen two-way map between ids and the dense indices 0 … size-1 that arrays are addressed by. */
export class Vocabulary<Id extends string> {
  readonly ids: readonly Id[];
  readonly #indexById: ReadonlyMap<Id, number>;

  constructor(ids: readonly Id[]) {
    this.ids = ids;
    this.#indexById = new Map(ids.map((id, index) => [id, index]));
    if (this.#indexById.size !== ids.length) {
      throw new RangeError(
        `vocabulary: expected distinct ids, got ${ids.length - this.#indexById.size} repeated`,
      );
    }
  }

  get size(): number {
    return this.ids.length;
  }

  has(id: Id): boolean {
    return this.#indexById.has(id);
  }

  /** Dense index of `id`, or undefined when the vocabulary does not hold it. */
  indexOf(id: Id): number | undefined {
    return this.#indexById.get(id);
  }

  idAt(index: number): Id {
    const id = this.ids[index];
    if (id === undefined) throw new RangeError(`vocabulary: index ${index} is outside 0…${this.size - 1}`);
    return id;
  }
}
