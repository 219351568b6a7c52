import { createHash } from "node:crypto";
import type { ItemId } from "../../models/data/ids.ts";
import type { ItemFilter } from "../../models/recommender.ts";

/*
 * What a user has seen is kept apart from what is read to make a list. The history holds the latest entries; the items of
 * those that leave it go into a Bloom filter (Bloom 1970) of a fixed size: 2^19 bits and 7 hash functions. It forgets
 * nothing, so a seen item never comes back; that a few others are held back too is its price, and nobody's loss:
 * (1 − e^(−7n/2^19))^7 of them, 5·10⁻⁷ after 10,000 items, 4·10⁻⁴ after 30,000, 1 % after 55,000. The script fills it
 * and this class reads it, by the same positions.
 */
const FILTER_BITS = 2 ** 19;
const HASHES = 7;
export const FILTER_BYTES = FILTER_BITS / 8;

export class SeenFilter implements ItemFilter {
  readonly bits: Uint8Array;

  /** @param bits as Redis keeps them: from the highest bit of the first byte on; what is missing at the end is 0 */
  constructor(bits: Uint8Array) {
    this.bits = bits;
  }

  /** Always true of an item that was remembered. */
  has(item: ItemId): boolean {
    const digest = createHash("sha1").update(item).digest();
    const first = digest.readUInt32BE(0);
    const step = digest.readUInt32BE(4) | 1;
    for (let hash = 0; hash < HASHES; hash++) {
      const bit = (first + hash * (step >>> 0)) % FILTER_BITS;
      if (((this.bits[bit >>> 3] ?? 0) & (128 >>> (bit & 7))) === 0) return false;
    }
    return true;
  }
}

/** Items never to recommend: those named, and those seen so long ago that the history does not hold them any more. */
export function excluding(items: readonly ItemId[], seen: SeenFilter | null): ItemFilter | undefined {
  if (items.length === 0) return seen ?? undefined;
  const named: ReadonlySet<ItemId> = new Set(items);
  return seen === null ? named : { has: (item) => named.has(item) || seen.has(item) };
}

/** For scripts: `remember(filter, entry)` takes a history entry without its sequence. */
export const REMEMBER_LUA = `
local function remember(filter, entry)
  local digest = redis.sha1hex(cjson.decode(entry)[1])
  local first, step = tonumber(string.sub(digest, 1, 8), 16), tonumber(string.sub(digest, 9, 16), 16)
  if step % 2 == 0 then step = step + 1 end
  local sets = {}
  for hash = 0, ${HASHES - 1} do
    sets[#sets + 1] = 'SET'
    sets[#sets + 1] = 'u1'
    sets[#sets + 1] = string.format('%d', (first + hash * step) % ${FILTER_BITS})
    sets[#sets + 1] = '1'
  end
  -- Made whole: a string that grows takes twice its size.
  if redis.call('EXISTS', filter) == 0 then redis.call('SETBIT', filter, ${FILTER_BITS - 1}, 0) end
  redis.call('BITFIELD', filter, unpack(sets))
end`;
