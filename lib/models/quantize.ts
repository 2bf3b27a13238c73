/**
 * Weights in blocks of 32 with one scale each, as ONNX Runtime's MatMulNBits and
 * GatherBlockQuantized read them.
 *
 * @module
 */

/** Weights of a block that share a scale. */
export const BLOCK = 32;

/** A quantised matrix: value = scale · (code − 2^(bits−1)). */
export interface QuantizedMatrix {
  /** Bits of a code. */
  readonly bits: 4 | 8;
  /** Codes, row by row; two 4-bit codes a byte, the even one in the low half. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** One scale a block, row by row. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * Rounds weights to the nearest code of a symmetric grid (RTN). 8 bits: the largest magnitude of a
 * block becomes ±127, as in GGUF's Q8_0, whose values come through unchanged. 4 bits: the value of
 * largest magnitude becomes −8, as in GGUF's Q4_0.
 *
 * @param weights A matrix, row by row; its rows are multiples of 32 long.
 * @param bits Bits of a code.
 * @returns Codes and scales.
 * @throws {RangeError} If the weights do not fill whole blocks.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const weights = new Float32Array(32);
 * weights[1] = -4;
 * weights[2] = 2;
 * const { codes, scales } = quantize(weights, 4);
 * assertEquals([scales[0], codes[0]! >> 4, codes[1]! & 15], [0.5, 0, 12]);
 * ```
 */
export function quantize(weights: Float32Array, bits: 4 | 8): QuantizedMatrix {
  if (weights.length % BLOCK !== 0) {
    throw new RangeError(
      `Cannot quantise ${weights.length} weights as they do not fill blocks of ${BLOCK}`,
    );
  }
  const scales = new Float32Array(weights.length / BLOCK);
  const codes = new Uint8Array(weights.length * bits / 8);
  for (let block = 0; block < scales.length; block++) {
    const from = block * BLOCK;
    const extreme = largest(weights, from);
    const scale = Math.fround(bits === 4 ? extreme / -8 : Math.abs(extreme) / 127);
    const inverse = scale === 0 ? 0 : 1 / scale;
    scales[block] = scale;
    for (let i = from; i < from + BLOCK; i++) {
      const code = Math.round(weights[i]! * inverse);
      if (bits === 8) codes[i] = code + 128;
      else codes[i >> 1]! |= Math.min(15, code + 8) << ((i & 1) * 4);
    }
  }
  return { bits, codes, scales };
}

/** The value of largest magnitude in a block. */
function largest(weights: Float32Array, from: number): number {
  let extreme = 0;
  for (let i = from; i < from + BLOCK; i++) {
    if (Math.abs(weights[i]!) > Math.abs(extreme)) extreme = weights[i]!;
  }
  return extreme;
}
