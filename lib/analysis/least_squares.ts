/**
 * Linear least squares.
 *
 * @module
 */

/**
 * The coefficients that make weighted sums of `terms` come nearest to `values`, by least squares of
 * relative errors: an error of 1 % weighs the same in a short time and in a long one.
 *
 * @param terms For each value its terms.
 * @param values Positive numbers.
 * @returns One coefficient a term, or null if the values do not determine them.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const [fixed, slope] = fitTerms([[1, 0], [1, 1], [1, 2]], [3, 5, 7])!;
 * assertAlmostEquals(fixed!, 3);
 * assertAlmostEquals(slope!, 2);
 * ```
 */
export function fitTerms(
  terms: readonly (readonly number[])[],
  values: readonly number[],
): number[] | null {
  const count = terms[0]?.length ?? 0;
  // Normal equations of terms scaled to 1, so that a context of thousands does not drown the rest.
  const scales = Array.from(
    { length: count },
    (_, j) => Math.max(...terms.map((row) => Math.abs(row[j]!))) || 1,
  );
  const rows = terms.map((row, i) => row.map((term, j) => term / scales[j]! / values[i]!));
  const system = scales.map((_, j) => [
    ...scales.map((_, k) => rows.reduce((sum, row) => sum + row[j]! * row[k]!, 0)),
    rows.reduce((sum, row) => sum + row[j]!, 0),
  ]);
  const solved = solve(system);
  return solved && solved.map((value, j) => value / scales[j]!);
}

/** Gauss and Jordan's elimination with pivots of a system with its right side as last column. */
function solve(system: number[][]): number[] | null {
  const size = system.length;
  const largest = Math.max(...system.flat().map(Math.abs));
  for (let column = 0; column < size; column++) {
    const rest = system.slice(column).map((row) => Math.abs(row[column]!));
    const pivot = column + rest.indexOf(Math.max(...rest));
    if (!(Math.abs(system[pivot]![column]!) > 1e-12 * largest)) return null;
    [system[column], system[pivot]] = [system[pivot]!, system[column]!];
    const lead = system[column]!;
    for (const row of system) {
      if (row === lead) continue;
      const factor = row[column]! / lead[column]!;
      for (let k = column; k <= size; k++) row[k]! -= factor * lead[k]!;
    }
  }
  return system.map((row, i) => row[size]! / row[i]!);
}
