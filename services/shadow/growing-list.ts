import type { Redis } from "ioredis";
import { fromStore } from "../store-errors.ts";

interface Known<T> {
  readonly rows: readonly T[];
  readonly last: string;
}

/**
 * Lists that only grow, each row read once a process: a read costs what has come since the last one. The last row that
 * is known is read again; where another stands in its place, rows were taken out (a user was erased), and all are
 * read anew.
 */
export class GrowingList<T> {
  readonly #redis: Redis;
  readonly #known = new Map<string, Known<T>>();

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async read(key: string, rowOf: (text: string) => T): Promise<readonly T[]> {
    const known = this.#known.get(key);
    if (known !== undefined) {
      const [last, ...added] = await this.#texts(key, known.rows.length - 1);
      if (last === known.last) {
        return added.length === 0 ? known.rows : this.#keep(key, [...known.rows, ...added.map(rowOf)], added);
      }
    }
    this.#known.delete(key);
    const texts = await this.#texts(key, 0);
    return texts.length === 0 ? [] : this.#keep(key, texts.map(rowOf), texts);
  }

  #texts(key: string, from: number): Promise<string[]> {
    return fromStore("read shadow", this.#redis.lrange(key, from, -1));
  }

  #keep(key: string, rows: readonly T[], texts: readonly string[]): readonly T[] {
    this.#known.set(key, { rows, last: texts[texts.length - 1] });
    return rows;
  }
}
