/**
 * Matrices one after another.
 *
 * @module
 */

/**
 * Several matrices as one.
 *
 * @param parts The matrices' values.
 * @returns Their values in a row.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([...concatenate([Float32Array.of(1, 2), Float32Array.of(3)])], [1, 2, 3]);
 * ```
 */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
