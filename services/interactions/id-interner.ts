/** Ids below this are looked up in a plain array, which is several times faster than a Map. */
const DIRECT_IDS = 1 << 26;

/** Gives ids dense indices in order of first appearance. */
export interface IdInterner<Raw> {
  indexOf(raw: Raw): number;
  texts(): string[];
}

/** For non-negative safe integers. */
export function integerInterner(): IdInterner<number> {
  const ids: number[] = [];
  let direct = new Int32Array(1 << 16).fill(-1);
  const large = new Map<number, number>();
  const grow = (past: number): void => {
    const wider = new Int32Array(Math.min(DIRECT_IDS, Math.max(direct.length * 2, past + 1))).fill(-1);
    wider.set(direct);
    direct = wider;
  };
  return {
    indexOf(raw) {
      if (raw < DIRECT_IDS) {
        if (raw >= direct.length) grow(raw);
        const known = direct[raw];
        if (known >= 0) return known;
        direct[raw] = ids.push(raw) - 1;
        return direct[raw];
      }
      const known = large.get(raw);
      if (known !== undefined) return known;
      const index = ids.push(raw) - 1;
      large.set(raw, index);
      return index;
    },
    texts: () => ids.map(String),
  };
}

export function textInterner(): IdInterner<string> {
  const indexById = new Map<string, number>();
  return {
    indexOf(raw) {
      const known = indexById.get(raw);
      if (known !== undefined) return known;
      indexById.set(raw, indexById.size);
      return indexById.size - 1;
    },
    texts: () => [...indexById.keys()],
  };
}
