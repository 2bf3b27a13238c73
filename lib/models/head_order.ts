/**
 * The order of a head's rows. Graphs turn pairs of adjacent rows; some families' files keep a
 * pair's rows half a head apart.
 *
 * @module
 */

/**
 * Brings rows (i, i + d/2) of every head, d rows each, together as (2i, 2i + 1). The dot product of
 * a query and a key does not depend on the order, as long as both are in the same.
 *
 * @param values Heads one after another, each row by row: a matrix, a bias, or one head's norm.
 * @param shape Heads and rows of a head.
 * @returns The same rows, reordered.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const rows = Float32Array.of(0, 1, 2, 3, 10, 11, 12, 13);
 * assertEquals([...pairRows(rows, { heads: 2, headSize: 4 })], [0, 2, 1, 3, 10, 12, 11, 13]);
 * ```
 */
export function pairRows(
  values: Float32Array,
  { heads, headSize }: { readonly heads: number; readonly headSize: number },
): Float32Array {
  const half = headSize / 2;
  const width = values.length / (heads * headSize);
  const paired = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < headSize; row++) {
      const from = (head * headSize + row) * width;
      const to = (head * headSize + row % half * 2 + Math.floor(row / half)) * width;
      paired.set(values.subarray(from, from + width), to);
    }
  }
  return paired;
}
