/**
 * Piecewise linear interpolation.
 *
 * @module
 */

/** An abscissa and its value. */
export type Point = readonly [x: number, y: number];

/**
 * The value on the line between the two nearest points.
 *
 * @param points Points of ascending x.
 * @param x Where.
 * @returns The value, or null outside the points: nothing is extrapolated.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const points = [[0, 10], [4, 30]] as const;
 * assertEquals([interpolate(points, 1), interpolate(points, 4), interpolate(points, 5)], [15, 30, null]);
 * ```
 */
export function interpolate(points: readonly Point[], x: number): number | null {
  const above = points.findIndex(([at]) => at >= x);
  const [right, left] = [points[above], points[above - 1]];
  if (!right || (!left && right[0] > x)) return null;
  if (!left || right[0] === x) return right[1];
  const share = (x - left[0]) / (right[0] - left[0]);
  return left[1] + share * (right[1] - left[1]);
}

/**
 * The nearest values, by least squares, that never fall: neighbours out of order are replaced by
 * their mean (pool adjacent violators; Barlow et al. 1972).
 *
 * @param values The values in order.
 * @returns As many values, none less than the one before.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(ascending([1, 3, 2, 5]), [1, 2.5, 2.5, 5]);
 * ```
 */
export function ascending(values: readonly number[]): number[] {
  const pools: { mean: number; count: number }[] = [];
  for (const value of values) {
    let pool = { mean: value, count: 1 };
    while (pools.length > 0 && pools.at(-1)!.mean > pool.mean) {
      const last = pools.pop()!;
      const count = last.count + pool.count;
      pool = { mean: (last.mean * last.count + pool.mean * pool.count) / count, count };
    }
    pools.push(pool);
  }
  return pools.flatMap(({ mean, count }) => new Array<number>(count).fill(mean));
}
