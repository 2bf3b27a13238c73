/**
 * The work of a pass: bytes that must be read or written, and arithmetic operations. It follows from
 * a network's sizes alone, so it is the same on every machine.
 *
 * @module
 */

import type { Architecture } from "../models/architecture.ts";
import type { Precision } from "../models/graph.ts";
import { BLOCK } from "../models/quantize.ts";
import { requireInteger } from "../validate.ts";

/** The sizes of a network that its work depends on. */
export type NetworkSizes = Pick<
  Architecture,
  | "layers"
  | "hidden"
  | "heads"
  | "keyValueHeads"
  | "headSize"
  | "feedForward"
  | "vocabularySize"
>;

/** How numbers are stored. Graphs built here have no fp16; other engines have. */
export type NumberFormat = Precision | "fp16";

/** Bytes of a number. Blocks of codes share a scale in fp32, as in ONNX Runtime's MatMulNBits. */
const BYTES: Readonly<Record<NumberFormat, number>> = {
  fp32: 4,
  fp16: 2,
  int8: 1 + 4 / BLOCK,
  int4: 1 / 2 + 4 / BLOCK,
};

/** How a network's numbers are stored. */
export interface Formats {
  /** The layers' matrices. */
  readonly weights: NumberFormat;
  /** The output head. Default: as the layers'. */
  readonly head?: NumberFormat;
  /** Keys and values. */
  readonly cache: "fp32" | "fp16";
}

/** The shape of a pass. */
export interface PassShape {
  /** w: new tokens of each row. */
  readonly width: number;
  /** n: tokens before them in each row. */
  readonly context: number;
  /** B: rows. */
  readonly batch: number;
}

/** Traffic and arithmetic. */
export interface WorkCount {
  /** Bytes read and written. */
  readonly bytes: number;
  /** Floating-point or integer operations; a multiplication and an addition are two. */
  readonly operations: number;
}

/** The parts of a pass. */
export interface PassWork {
  /** Products with the layers' matrices, which are read once whatever the width and the batch. */
  readonly layers: WorkCount;
  /** The output head, over every new token; read once. */
  readonly head: WorkCount;
  /** Attention: new keys and values are written, then all of a row are read once. */
  readonly attention: WorkCount;
}

/**
 * The least work of a pass that scores all its tokens. With weights W, head V × h, layers L, heads H
 * of size d and key heads G:
 * - layers: bytes b·W, operations 2·W·w·B;
 * - head: bytes b·V·h, operations 2·V·h·w·B;
 * - attention: bytes b·2·G·d·L·B·(n + 2w), operations 4·H·d·L·B·(w·n + w(w + 1)/2).
 *
 * Norms, biases, activations and rows of the embedding are left out: under 1 % of bytes while w·B is
 * small.
 *
 * @param sizes The network.
 * @param shape w, n, B.
 * @param formats How its numbers are stored.
 * @returns The work of each part.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findShape } from "@specbound/specbound";
 * const { architecture } = findShape("shape:llama-3.1-8b");
 * const formats = { weights: "fp16", cache: "fp16" } as const;
 * const at = (context: number) => passWork(architecture, { width: 1, context, batch: 1 }, formats);
 * assertEquals(at(1000).attention.bytes - at(999).attention.bytes, 131_072); // of K/V, a token
 * ```
 */
export function passWork(
  sizes: NetworkSizes,
  { width, context, batch }: PassShape,
  { weights, head = weights, cache }: Formats,
): PassWork {
  requireInteger("count the work of a pass", "width", width, 1);
  requireInteger("count the work of a pass", "context", context, 0);
  requireInteger("count the work of a pass", "batch", batch, 1);
  const { layers, hidden, heads, keyValueHeads, headSize, vocabularySize } = sizes;
  const product = (count: number, format: NumberFormat): WorkCount => ({
    bytes: count * BYTES[format],
    operations: 2 * count * width * batch,
  });
  const keyValues = 2 * keyValueHeads * headSize * layers * batch;
  const scores = width * context + width * (width + 1) / 2;
  return {
    layers: product(layers * layerWeights(sizes), weights),
    head: product(vocabularySize * hidden, head),
    attention: {
      bytes: keyValues * (context + 2 * width) * BYTES[cache],
      operations: 4 * heads * headSize * layers * batch * scores,
    },
  };
}

/**
 * The work of all parts together: "bytes and operations moved" of a pass.
 *
 * @param work The parts.
 * @returns Their sum.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const part = { bytes: 2, operations: 3 };
 * assertEquals(totalWork({ layers: part, head: part, attention: part }), {
 *   bytes: 6,
 *   operations: 9,
 * });
 * ```
 */
export function totalWork({ layers, head, attention }: PassWork): WorkCount {
  return {
    bytes: layers.bytes + head.bytes + attention.bytes,
    operations: layers.operations + head.operations + attention.operations,
  };
}

/** Weights in the matrices of one layer. */
function layerWeights(sizes: NetworkSizes): number {
  const { hidden, heads, keyValueHeads, headSize, feedForward } = sizes;
  return hidden * (2 * (heads + keyValueHeads) * headSize + 3 * feedForward);
}
