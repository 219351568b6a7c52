import type { Random } from "../data/random.ts";
import type { Dimension, Params, SearchSpace } from "../recipe.ts";

/**
 * A search works on points of the unit cube, one coordinate a dimension in the order of the space's keys:
 *   log     u = ln(x / low) / ln(high / low)
 *   linear  u = (x − low) / (high − low)
 *   choice  u = index of the value (a coordinate of its own kind: only equality means anything)
 */
export type Point = readonly number[];

export function toPoint(space: SearchSpace, params: Params): Point {
  return Object.entries(space).map(([name, dimension]) => coordinate(name, dimension, params[name]));
}

export function toParams(space: SearchSpace, point: Point): Params {
  return Object.fromEntries(
    Object.entries(space).map(([name, dimension], axis) => [name, valueAt(dimension, point[axis])]),
  );
}

/** Whether a search may come upon the value. One that lies outside switches off what it is a parameter of. */
export function isWithin(dimension: Dimension, value: unknown): boolean {
  if (dimension.kind === "choice") return dimension.values.some((choice) => Object.is(choice, value));
  return Number(value) >= dimension.low && Number(value) <= dimension.high;
}

/** Uniform over the cube: log-uniform, uniform, or equal chances. */
export function randomPoint(space: SearchSpace, random: Random): Point {
  return Object.values(space).map((dimension) =>
    dimension.kind === "choice" ? random.integer(dimension.values.length) : random.next(),
  );
}

function coordinate(name: string, dimension: Dimension, value: unknown): number {
  if (dimension.kind === "choice") {
    const index = dimension.values.findIndex((choice) => Object.is(choice, value));
    if (index < 0)
      throw new RangeError(`${name}: expected one of ${dimension.values.join(", ")}; got ${value}`);
    return index;
  }
  const number = Number(value);
  const { low, high } = dimension;
  const unit =
    dimension.kind === "log" ? Math.log(number / low) / Math.log(high / low) : (number - low) / (high - low);
  if (Number.isNaN(unit))
    throw new RangeError(`${name}: expected a number from ${low} to ${high}, got ${value}`);
  return Math.min(1, Math.max(0, unit));
}

function valueAt(dimension: Dimension, unit: number): string | number | boolean {
  if (dimension.kind === "choice") return dimension.values[unit];
  const { low, high } = dimension;
  const value = dimension.kind === "log" ? low * (high / low) ** unit : low + unit * (high - low);
  // Rounding must not step over the ends, nor write 0.30000000000000004 where 0.3 is meant.
  const rounded = dimension.integer ? Math.round(value) : Number(value.toPrecision(4));
  return Math.min(high, Math.max(low, rounded));
}
