/**
 * A grid run in parts: by several nodes, or one after the other.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** One part of a grid. */
export interface Shard {
  /** Which part, from 1. */
  readonly index: number;
  /** How many parts there are. */
  readonly count: number;
}

/** The one part of an undivided grid. */
export const WHOLE: Shard = { index: 1, count: 1 };

/**
 * Reads a shard as it is given on a command line.
 *
 * @param text "i/n", with i from 1 to n.
 * @returns The shard.
 * @throws {RangeError} If it is not two whole numbers in that range.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * assertEquals(parseShard("2/3"), { index: 2, count: 3 });
 * assertThrows(() => parseShard("0/3"), RangeError, "from 1/3 to 3/3");
 * ```
 */
export function parseShard(text: string): Shard {
  const [index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text)?.slice(1).map(Number) ?? [0, 0];
  if (1 <= index! && index! <= count!) return { index: index!, count: count! };
  const range = count! > 0 ? `from 1/${count} to ${count}/${count}` : "i/n with i from 1 to n";
  throw new RangeError(`Cannot sweep as a shard must be ${range}: current value is ${text}`);
}

/**
 * Whether a key is in a shard. Each key is in exactly one, which depends on the key and the number
 * of shards alone: not on the grid around it, nor on the replicate.
 *
 * @param key The key of a pair or a cell.
 * @param shard The shard.
 * @returns True for one of the shards; in which, a hash says.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const shards = [1, 2, 3].filter((index) => isInShard("7a1c78968b55", { index, count: 3 }));
 * assertEquals(shards.length, 1);
 * ```
 */
export function isInShard(key: string, { index, count }: Shard): boolean {
  return createHash("sha256").update(key).digest().readUIntBE(0, 6) % count === index - 1;
}
