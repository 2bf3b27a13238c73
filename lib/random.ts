/**
 * Seeded random numbers: one stream a purpose, so that drawing more from one never shifts another.
 *
 * @module
 */

/** A source of uniform numbers in [0, 1), the contract of `Math.random`. */
export type Random = () => number;

/**
 * A stream of uniform doubles in [0, 1) with 53 random bits, fixed by its seed and purpose.
 *
 * The generator is xoshiro128** (Blackman and Vigna 2018), seeded from a 128-bit hash of the
 * key, so streams of different purposes are independent for all practical ends.
 *
 * @param seed The run's seed.
 * @param purpose What the numbers decide: "draft", "accept", a prompt's id.
 * @returns The stream.
 *
 * @example
 * ```ts
 * import { assertEquals, assertNotEquals } from "@std/assert";
 * const once = stream(7, "accept"), again = stream(7, "accept"), other = stream(7, "draft");
 * const first = once();
 * assertEquals(first, again());
 * assertNotEquals(first, other());
 * ```
 */
export function stream(seed: number | string, purpose: string): Random {
  let [a, b, c, d] = hash128(`${seed}\u0000${purpose}`);
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
  for (let i = 0; i < 8; i++) next(); // lets a seed of few set bits spread
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}

/**
 * A uniform number in [0, 1) that depends on a key alone: a stream of one.
 *
 * @param seed The run's seed.
 * @param key What the number decides.
 * @returns The number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(coin(7, "position 12"), coin(7, "position 12"));
 * ```
 */
export function coin(seed: number | string, key: string): number {
  return stream(seed, key)();
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Four lanes of FNV-1a with MurmurHash3's finaliser. */
function hash128(text: string): [number, number, number, number] {
  const lane = (basis: number): number => {
    let hash = basis;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  };
  return [lane(0x811c9dc5), lane(0x9e3779b9), lane(0x7f4a7c15), lane(0x243f6a88)];
}
