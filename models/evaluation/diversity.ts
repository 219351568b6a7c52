import type { ItemId } from "../data/ids.ts";
import type { Catalogue } from "../data/interaction-log.ts";

/**
 * Intra-list diversity: 1 − mean cosine of the genre sets over all pairs of a list,
 * cos(A, B) = |A ∩ B| / √(|A|·|B|). Items without known genres share nothing known (cosine 0), so a catalogue
 * without genres gives 1 to every list and never tells two models apart. 1 for lists of fewer than two items.
 * Source: Ziegler et al., WWW 2005; Smyth & McClave, ICCBR 2001.
 */
export function diversity(ranking: readonly ItemId[], catalogue: Catalogue): number {
  const genres = ranking.map((item) => new Set(catalogue.get(item)?.genres ?? []));
  let similarity = 0;
  let pairs = 0;
  for (let first = 0; first < genres.length; first++) {
    for (let second = first + 1; second < genres.length; second++) {
      similarity += cosine(genres[first], genres[second]);
      pairs++;
    }
  }
  return pairs === 0 ? 1 : 1 - similarity / pairs;
}

function cosine(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const genre of a) if (b.has(genre)) shared++;
  return shared === 0 ? 0 : shared / Math.sqrt(a.size * b.size);
}
