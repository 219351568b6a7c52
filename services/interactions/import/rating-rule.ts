/** What the ratings of a file are, once all are read. */
export interface RatingSummary {
  readonly minimum: number;
  readonly maximum: number;
  /** Of exactly -1, and of any other number below zero. */
  readonly minusOnes: number;
  readonly otherNegatives: number;
  readonly zeros: number;
}

/**
 * -1 where every other rating is zero or more is how catalogues mark "seen, not rated"; on a scale that goes below
 * zero it is a rating like any other.
 */
export const minusOneMeansUnrated = ({ minusOnes, otherNegatives, maximum }: RatingSummary): boolean =>
  minusOnes > 0 && otherNegatives === 0 && maximum > 1;

/** What was understood, for the report. */
export function explainRatings(summary: RatingSummary, what: "ratings" | "weights"): string {
  const { minimum, maximum, minusOnes, otherNegatives, zeros } = summary;
  const parts = [`${what} from ${minimum} to ${maximum}`];
  if (minusOneMeansUnrated(summary)) {
    parts.push(
      `${minusOnes} of -1 mean "seen, not rated" (in /feedback too once ratings.unrated of the policy has -1)`,
    );
  } else if (minusOnes + otherNegatives > 0) {
    parts.push(`${minusOnes + otherNegatives} below 0 count against their items`);
  }
  if (zeros > 0) parts.push(`${zeros} of 0 mean "seen, not rated"`);
  return parts.join("; ");
}
