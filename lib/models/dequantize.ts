/**
 * GGML's block formats, unpacked to float32.
 *
 * @module
 */

/** How a tensor's numbers are packed, in GGML's names. */
export type GgufKind =
  | "F32"
  | "F16"
  | "BF16"
  | "Q4_0"
  | "Q4_1"
  | "Q5_0"
  | "Q5_1"
  | "Q8_0"
  | "Q4_K"
  | "Q5_K"
  | "Q6_K";

/**
 * Of each kind, the weights in a block and the bytes a block takes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(BLOCKS.Q4_1, { size: 32, bytes: 20 });
 * ```
 */
export const BLOCKS: Readonly<Record<GgufKind, { readonly size: number; readonly bytes: number }>> =
  {
    F32: { size: 1, bytes: 4 },
    F16: { size: 1, bytes: 2 },
    BF16: { size: 1, bytes: 2 },
    Q4_0: { size: 32, bytes: 18 },
    Q4_1: { size: 32, bytes: 20 },
    Q5_0: { size: 32, bytes: 22 },
    Q5_1: { size: 32, bytes: 24 },
    Q8_0: { size: 32, bytes: 34 },
    Q4_K: { size: 256, bytes: 144 },
    Q5_K: { size: 256, bytes: 176 },
    Q6_K: { size: 256, bytes: 210 },
  };

/** Every float16 as a float32, by its bits: a look-up is several times faster than a DataView. */
const HALF = new Float32Array(
  new Float16Array(Uint16Array.from({ length: 65536 }, (_, bits) => bits).buffer),
);

type Unpack = (bytes: Uint8Array, out: Float32Array) => void;

const UNPACK: Readonly<Record<GgufKind, Unpack>> = {
  F32: (bytes, out) => new Uint8Array(out.buffer).set(bytes),
  F16: (bytes, out) => {
    for (let i = 0; i < out.length; i++) out[i] = half(bytes, 2 * i);
  },
  BF16: (bytes, out) => {
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = word(bytes, 2 * i) << 16;
  },
  Q4_0: (bytes, out) => unpackNibbles(bytes, out, { minimum: false, fifthBit: false }),
  Q4_1: (bytes, out) => unpackNibbles(bytes, out, { minimum: true, fifthBit: false }),
  Q5_0: (bytes, out) => unpackNibbles(bytes, out, { minimum: false, fifthBit: true }),
  Q5_1: (bytes, out) => unpackNibbles(bytes, out, { minimum: true, fifthBit: true }),
  Q8_0: unpackQ8,
  Q4_K: (bytes, out) => unpackK(bytes, out, false),
  Q5_K: (bytes, out) => unpackK(bytes, out, true),
  Q6_K: unpackQ6K,
};

/**
 * Unpacks `count` weights, bit for bit as ggml's own Python package does.
 *
 * @param kind How the weights are packed.
 * @param bytes The packed weights, exactly as many bytes as `count` weights take.
 * @param count The number of weights: a multiple of the kind's block size.
 * @returns `count` floats.
 * @throws {RangeError} If `count` is no whole number of blocks, or `bytes` has another length.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const bytes = new Uint8Array(34).fill(3);
 * new DataView(bytes.buffer).setFloat16(0, 0.5, true);
 * assertEquals(dequantize("Q8_0", bytes, 32), new Float32Array(32).fill(1.5));
 * ```
 */
export function dequantize(kind: GgufKind, bytes: Uint8Array, count: number): Float32Array {
  const block = BLOCKS[kind];
  if (!Number.isSafeInteger(count) || count < 0 || count % block.size !== 0) {
    throw new RangeError(
      `Cannot dequantize as count must be a multiple of ${block.size} for ${kind}: current value is ${count}`,
    );
  }
  const expected = count / block.size * block.bytes;
  if (bytes.length !== expected) {
    throw new RangeError(
      `Cannot dequantize as ${count} weights of ${kind} take ${expected} bytes: current length is ${bytes.length}`,
    );
  }
  const out = new Float32Array(count);
  UNPACK[kind](bytes, out);
  return out;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8;
}

function half(bytes: Uint8Array, at: number): number {
  return HALF[word(bytes, at)]!;
}

/** w = d·q + m, or w = d·(q − zero) where the format has no minimum. Low nibbles come first. */
function unpackNibbles(
  bytes: Uint8Array,
  out: Float32Array,
  { minimum, fifthBit }: { minimum: boolean; fifthBit: boolean },
): void {
  const zero = minimum ? 0 : fifthBit ? 16 : 8;
  for (let o = 0, at = 0; o < out.length; o += 32) {
    const d = half(bytes, at);
    at += 2;
    let m = -0; // Adding -0 keeps the sign of a zero; adding 0 would not.
    if (minimum) {
      m = half(bytes, at);
      at += 2;
    }
    let high = 0;
    if (fifthBit) {
      high = word(bytes, at) | word(bytes, at + 2) << 16;
      at += 4;
    }
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + j]!;
      out[o + j] = d * ((byte & 15 | (high >>> j & 1) << 4) - zero) + m;
      out[o + j + 16] = d * ((byte >> 4 | (high >>> j + 16 & 1) << 4) - zero) + m;
    }
    at += 16;
  }
}

function unpackQ8(bytes: Uint8Array, out: Float32Array): void {
  for (let o = 0, at = 0; o < out.length; o += 32, at += 34) {
    const d = half(bytes, at);
    for (let j = 0; j < 32; j++) out[o + j] = d * (bytes[at + 2 + j]! << 24 >> 24);
  }
}

/** Q4_K and Q5_K: eight sub-blocks of 32, each with a 6-bit scale and a 6-bit minimum. */
function unpackK(bytes: Uint8Array, out: Float32Array, fifthBit: boolean): void {
  const stride = fifthBit ? 176 : 144;
  for (let o = 0, at = 0; o < out.length; o += 256, at += stride) {
    const d = half(bytes, at);
    const dMinimum = half(bytes, at + 2);
    const nibbles = at + stride - 128;
    for (let sub = 0; sub < 8; sub++) {
      const scale = d * sixBits(bytes, at + 4, 0, sub);
      const minimum = dMinimum * sixBits(bytes, at + 4, 4, sub);
      const from = nibbles + (sub >> 1) * 32;
      const shift = (sub & 1) * 4;
      for (let j = 0; j < 32; j++) {
        const high = fifthBit ? (bytes[at + 16 + j]! >> sub & 1) << 4 : 0;
        out[o + sub * 32 + j] = scale * (bytes[from + j]! >> shift & 15 | high) - minimum;
      }
    }
  }
}

/**
 * A sub-block's 6-bit scale (`nibble` 0) or minimum (`nibble` 4), from three rows of four bytes.
 * Sub-blocks 4 to 7 have their low bits in the third row and their top two in the first or second.
 */
function sixBits(bytes: Uint8Array, at: number, nibble: 0 | 4, sub: number): number {
  const byte = bytes[at + nibble + (sub & 3)]!;
  if (sub < 4) return byte & 63;
  return bytes[at + 8 + (sub & 3)]! >> nibble & 15 | byte >> 6 << 4;
}

/** Sixteen sub-blocks of 16, each with an 8-bit scale; the weights' upper two bits lie apart. */
function unpackQ6K(bytes: Uint8Array, out: Float32Array): void {
  for (let o = 0, at = 0; o < out.length; o += 256, at += 210) {
    const d = half(bytes, at + 208);
    for (let group = 0; group < 8; group++) { // of 32 weights
      const low = at + (group >> 2) * 64 + (group & 1) * 32;
      const high = at + 128 + (group >> 2) * 32;
      for (let j = 0; j < 32; j++) {
        const scale = d * (bytes[at + 192 + group * 2 + (j >> 4)]! << 24 >> 24);
        const q = bytes[low + j]! >> (group & 2) * 2 & 15 |
          (bytes[high + j]! >> (group & 3) * 2 & 3) << 4;
        out[o + group * 32 + j] = scale * (q - 32);
      }
    }
  }
}
