import type { Random } from "../data/random.ts";
import { normalCdf } from "../evaluation/distributions.ts";
import type { Dimension } from "../recipe.ts";
import type { Point } from "./space.ts";

/** Share of probability that a choice's kernel leaves to the other values. */
const CHOICE_SPREAD = 0.2;
/** Narrower kernels pile all trials onto the first good one: measured on known functions. */
const NARROWEST = 0.12;

/**
 * A density over the cube: an even mixture of one kernel per observed point and one uniform component, so that no
 * corner is ever ruled out. A kernel is a product over axes: a Gaussian cut off at 0 and 1, or, for a choice,
 * 1 − spread on its value and the rest shared by all.
 */
export interface ParzenEstimator {
  logDensity(point: Point): number;
  sample(random: Random): Point;
}

export function parzenEstimator(dimensions: readonly Dimension[], points: readonly Point[]): ParzenEstimator {
  const widths = dimensions.map((_, axis) => bandwidth(points, axis));
  const kernelLog = (centre: Point, point: Point): number => {
    let sum = 0;
    for (const [axis, dimension] of dimensions.entries()) {
      if (dimension.kind === "choice") {
        const shared = CHOICE_SPREAD / dimension.values.length;
        sum += Math.log(shared + (centre[axis] === point[axis] ? 1 - CHOICE_SPREAD : 0));
      } else {
        const width = widths[axis];
        const mass = normalCdf((1 - centre[axis]) / width) - normalCdf(-centre[axis] / width);
        sum +=
          -(((point[axis] - centre[axis]) / width) ** 2) / 2 -
          Math.log(width * Math.sqrt(2 * Math.PI) * mass);
      }
    }
    return sum;
  };
  let uniformLog = 0;
  for (const dimension of dimensions) {
    if (dimension.kind === "choice") uniformLog -= Math.log(dimension.values.length);
  }

  return {
    logDensity(point) {
      const logs = [uniformLog, ...points.map((centre) => kernelLog(centre, point))];
      const largest = Math.max(...logs);
      const sum = logs.reduce((total, log) => total + Math.exp(log - largest), 0);
      return largest + Math.log(sum / logs.length);
    },
    sample(random) {
      const centre = points[random.integer(points.length + 1)];
      return dimensions.map((dimension, axis) => {
        if (dimension.kind === "choice") {
          if (centre === undefined || random.next() < CHOICE_SPREAD)
            return random.integer(dimension.values.length);
          return centre[axis];
        }
        return centre === undefined ? random.next() : cutNormal(centre[axis], widths[axis], random);
      });
    },
  };
}

/** Scott's rule on one axis, σ·n^(−1/5) (Scott, Multivariate Density Estimation, 1992, §6.2), kept from closing up. */
function bandwidth(points: readonly Point[], axis: number): number {
  if (points.length < 2) return 0.25;
  const mean = points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const variance = points.reduce((sum, point) => sum + (point[axis] - mean) ** 2, 0) / (points.length - 1);
  return Math.max(NARROWEST, Math.sqrt(variance) * points.length ** -0.2);
}

function cutNormal(centre: number, width: number, random: Random): number {
  for (;;) {
    const value = centre + width * random.normal();
    // Ends soon: the centre lies in [0, 1] and no kernel is much wider than that.
    if (value >= 0 && value <= 1) return value;
  }
}
