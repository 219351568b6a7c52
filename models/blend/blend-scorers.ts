import type { ItemScorer } from "../recipe.ts";

/** Added to the spread, so that a member whose scores are all equal adds nothing instead of dividing by zero. */
const SMALLEST_SPREAD = 1e-9;

/** One member of a blend at work. */
export interface WeightedScorer {
  readonly scorer: ItemScorer;
  readonly weight: number;
  /** False when its scores are the same for every history (popularity): they count beside others, never alone. */
  readonly usesHistory: boolean;
}

/**
 * One score from several:  score_j = Σ_m weight_m · (s_mj − mean_m) / (σ_m + ε), mean and σ over the catalogue for
 * this history. z-scores make members comparable whatever the scale of theirs. A member without scores is
 * left out; null when no member that uses the history has any.
 */
export function blendScorers(members: readonly WeightedScorer[]): ItemScorer {
  let blended = new Float32Array(0);
  return {
    scoreItems(history) {
      let isPersonal = false;
      blended.fill(0);
      for (const { scorer, weight, usesHistory } of members) {
        const scores = scorer.scoreItems(history);
        if (scores === null) continue;
        if (blended.length === 0) blended = new Float32Array(scores.length);
        addStandardized(blended, scores, weight);
        isPersonal ||= usesHistory;
      }
      return isPersonal ? blended : null;
    },
  };
}

function addStandardized(sum: Float32Array, scores: Float32Array, weight: number): void {
  if (scores.length !== sum.length) {
    throw new RangeError(`blend: expected ${sum.length} scores of every member, got ${scores.length}`);
  }
  const { mean, deviation } = spreadOf(scores);
  const scale = weight / (deviation + SMALLEST_SPREAD);
  for (let item = 0; item < scores.length; item++) sum[item] += (scores[item] - mean) * scale;
}

/** Both moments in one pass, taken about the first score: exact where all are equal, and nothing cancels near it. */
function spreadOf(scores: Float32Array): { mean: number; deviation: number } {
  const [origin] = scores;
  let total = 0;
  let squares = 0;
  for (let item = 0; item < scores.length; item++) {
    const offset = scores[item] - origin;
    total += offset;
    squares += offset * offset;
  }
  const mean = total / scores.length;
  const variance = Math.max(0, squares / scores.length - mean * mean);
  return { mean: origin + mean, deviation: Math.sqrt(variance) };
}
