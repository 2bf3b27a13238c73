/**
 * How many slots a cache has.
 *
 * @module
 */

/** Slots are added to a cache in steps of this. */
const STEP = 256;
/** Room for new tokens that a cache keeps, so that when it grows depends on committed text alone. */
const ROOM = 32;

/**
 * Slots of a row's cache in a pass: what the scattered form reads, whatever part of it is text.
 *
 * @param length Tokens before the new ones.
 * @param width New tokens.
 * @returns The slots, for narrow passes a function of `length` alone.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([slotsFor(200, 1), slotsFor(230, 1), slotsFor(200, 128)], [256, 512, 512]);
 * ```
 */
export function slotsFor(length: number, width: number): number {
  return Math.ceil((length + Math.max(width, ROOM)) / STEP) * STEP;
}
