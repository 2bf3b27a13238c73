/**
 * The mean of a few positive measurements, and how far it can be trusted.
 *
 * @module
 */

/** A mean with its 95 % interval. */
export interface MeanInterval {
  /** The geometric mean. */
  readonly estimate: number;
  /** Lower end, or null if one value leaves nothing to judge the spread by. */
  readonly low: number | null;
  /** Upper end, or null likewise. */
  readonly high: number | null;
}

/** Standard normal quantile of 97.5 %. */
export const Z = 1.959964;

/**
 * The geometric mean of independent measurements with Student's 95 % interval of their logarithms.
 *
 * @param values Positive numbers, at least one.
 * @returns The mean and its interval.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * const { estimate, low, high } = meanInterval([9, 10, 11]);
 * assert(7 < low! && low! < estimate && estimate < high! && high! < 14);
 * assertEquals(meanInterval([5]).low, null);
 * ```
 */
export function meanInterval(values: readonly number[]): MeanInterval {
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const estimate = Math.exp(mean);
  const freedom = logs.length - 1;
  if (freedom < 1) return { estimate, low: null, high: null };
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / freedom;
  const half = studentQuantile(freedom) * Math.sqrt(variance / logs.length);
  return { estimate, low: Math.exp(mean - half), high: Math.exp(mean + half) };
}

/**
 * Student's 97.5 % quantile: exact for 1 and 2 degrees of freedom, else expanded (Fisher 1941).
 *
 * @param freedom Degrees of freedom, at least 1.
 * @returns The quantile.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(studentQuantile(3), 3.182, 0.03);
 * ```
 */
export function studentQuantile(freedom: number): number {
  if (freedom === 1) return Math.tan(0.475 * Math.PI);
  if (freedom === 2) return 0.95 * Math.sqrt(2 / 0.0975);
  const [z3, z5, z7] = [Z ** 3, Z ** 5, Z ** 7];
  return Z + (z3 + Z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * Z) / (96 * freedom ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * freedom ** 3);
}
