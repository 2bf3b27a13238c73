/**
 * What memory a draft takes beside its target.
 *
 * @module
 */

import { type NetworkSizes, passWork, totalWork } from "../analysis/work.ts";
import type { Precision } from "../models/graph.ts";
import type { PricedPlace } from "./price.ts";

/**
 * Bytes of a draft model's matrices and of its keys and values, which are kept in fp32. Buffers and
 * what rests of the file are left out.
 *
 * @param sizes The network.
 * @param precision Precision of the matrices; an int4 model has an int8 head.
 * @param place n, B.
 * @returns Bytes: what one pass over a token reads.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const sizes = {
 *   layers: 2, hidden: 64, heads: 2, keyValueHeads: 1, headSize: 32, feedForward: 128,
 *   vocabularySize: 500,
 * };
 * const at = (context: number) => draftBytes(sizes, "int8", { context, batch: 1 });
 * assertEquals(at(100) - at(0), 100 * 2 * 2 * 32 * 4); // layers, keys and values, width, bytes
 * ```
 */
export function draftBytes(sizes: NetworkSizes, precision: Precision, place: PricedPlace): number {
  const head = precision === "int4" ? "int8" : precision;
  return totalWork(
    passWork(sizes, { width: 1, ...place }, { weights: precision, head, cache: "fp32" }),
  )
    .bytes;
}
