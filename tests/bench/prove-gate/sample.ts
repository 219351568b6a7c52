import { seededRandom } from "../../../models/data/random.ts";
import { mean, sampleVariance } from "../../../models/evaluation/moments.ts";
import { sampleOf } from "../../../models/gate/request-sample.ts";

const SAMPLE = 20;

interface AskedRequest {
  readonly requestId: string;
  /** challenger − baseline on it. */
  readonly difference: number;
}

/** Challengers that are better on one part of a user's requests only, and worse on the other. */
export const PLANTED: Readonly<Record<string, (place: number) => number>> = {
  "late requests only": (place) => (place < SAMPLE ? -0.02 : 0.05),
  "first requests only": (place) => (place < SAMPLE ? 0.05 : -0.02),
};

export const SAMPLERS: Readonly<
  Record<"hash" | "first", (requests: readonly AskedRequest[]) => readonly AskedRequest[]>
> = {
  hash: (requests) => sampleOf(requests, SAMPLE),
  first: (requests) => requests.slice(0, SAMPLE),
};

/** The shadow's mean less that of all requests, in standard errors: beyond ± 3 it is another mean. */
export function samplingError(
  planted: (place: number) => number,
  sampler: keyof typeof SAMPLERS,
  users: number,
  seed: number,
): number {
  const random = seededRandom(seed);
  const errors = Array.from({ length: users }, (_, user) => {
    // From 5 to 500 requests a user, evenly over the orders of magnitude.
    const asked = Math.floor(5 * 100 ** random.next());
    const taste = 0.05 * random.normal();
    const requests = Array.from({ length: asked }, (_, place) => ({
      requestId: `r-${seed}-${user}-${place}`,
      difference: planted(place) + taste + 0.2 * random.normal(),
    }));
    const figure = (of: readonly AskedRequest[]) => mean(of.map(({ difference }) => difference));
    return figure(SAMPLERS[sampler](requests)) - figure(requests);
  });
  return mean(errors) / Math.sqrt(sampleVariance(errors) / users);
}
