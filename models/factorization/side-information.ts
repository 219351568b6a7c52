import type { TrainingSet } from "../data/interaction-matrix.ts";
import type { SparseRows } from "../data/sparse-rows.ts";

/** Items of one span of years share more than those of one year, and every span has enough of them. */
const YEARS_A_SPAN = 5;

/**
 * Genres and release years as further rows beside the users: each feature "has" the items it describes, as a user
 * has items, and gets factors of its own that serving never needs. An item few people have is then placed by what it
 * is like, while one that many have hardly notices: its features weigh `sideWeight` interactions in all, whatever
 * their number. Source: collective matrix factorization with shared item factors, Singh & Gordon, KDD 2008.
 *
 * @param byUser (users × items)
 * @returns ((users + features) × items)
 */
export function withSideInformation(byUser: SparseRows, train: TrainingSet, sideWeight: number): SparseRows {
  const described = itemsByFeature(train);
  if (sideWeight === 0 || described.size === 0) return byUser;
  const featuresOfItem = new Uint32Array(byUser.others);
  for (const items of described.values()) for (const item of items) featuresOfItem[item]++;

  const known = byUser.columns.length;
  const added = featuresOfItem.reduce((sum, features) => sum + features, 0);
  const starts = new Uint32Array(byUser.rows + described.size + 1);
  const columns = new Uint32Array(known + added);
  const weights = new Float32Array(known + added).fill(1);
  starts.set(byUser.starts);
  columns.set(byUser.columns);
  if (byUser.weights !== null) weights.set(byUser.weights);
  let slot = known;
  let row = byUser.rows;
  for (const items of described.values()) {
    for (const item of items) {
      columns[slot] = item;
      weights[slot++] = sideWeight / featuresOfItem[item];
    }
    starts[++row] = slot;
  }
  return { rows: row, others: byUser.others, starts, columns, weights };
}

/** Dense indices of the items of each feature, ascending; features in the order in which they are met. */
function itemsByFeature({ interactions, catalogue }: TrainingSet): Map<string, number[]> {
  const described = new Map<string, number[]>();
  for (const [index, id] of interactions.items.ids.entries()) {
    const info = catalogue.get(id);
    if (info === undefined) continue;
    const features = new Set(info.genres.map((genre) => `genre ${genre}`));
    if (info.year !== undefined) features.add(`years ${Math.floor(info.year / YEARS_A_SPAN)}`);
    for (const feature of features) {
      const items = described.get(feature);
      if (items === undefined) described.set(feature, [index]);
      else items.push(index);
    }
  }
  return described;
}
