/**
 * Where a GGUF file's tensors lie, checked against the file's size.
 *
 * @module
 */

import { BLOCKS, type GgufKind } from "./dequantize.ts";

/** A tensor's place and form. */
export interface GgufTensor {
  /** The tensor's name, as "blk.0.attn_q.weight". */
  readonly name: string;
  /** How its weights are packed. */
  readonly kind: GgufKind;
  /** Its dimensions, outermost first, as in PyTorch: `[rows, columns]`. GGUF stores the reverse. */
  readonly shape: readonly number[];
  /** Where it starts, in bytes from the file's start. */
  readonly offset: number;
  /** The bytes it takes. */
  readonly byteLength: number;
}

/** A tensor as the header describes it. */
export interface TensorInfo {
  /** The tensor's name. */
  readonly name: string;
  /** Its dimensions, innermost first. */
  readonly shape: readonly bigint[];
  /** Its kind, by GGML's number. */
  readonly dtype: number;
  /** Where it starts, in bytes from the start of the tensor data. */
  readonly offset: bigint;
}

const KINDS: Readonly<Record<number, GgufKind>> = {
  0: "F32",
  1: "F16",
  2: "Q4_0",
  3: "Q4_1",
  6: "Q5_0",
  7: "Q5_1",
  8: "Q8_0",
  12: "Q4_K",
  13: "Q5_K",
  14: "Q6_K",
  30: "BF16",
};

/**
 * Places every tensor in its file.
 *
 * @param infos The header's descriptions.
 * @param headerEnd Where the header ends, in bytes.
 * @param alignment The file's `general.alignment`, of which every offset is a multiple.
 * @param size The file's size in bytes.
 * @returns The tensors by name, in the file's order.
 * @throws {RangeError} If a tensor is not sound; the message is a reason: "tensor "x" has …".
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * const info = { name: "w", shape: [32n, 2n], dtype: 2, offset: 64n };
 * const place = (size: number) => placeTensors([info], 1000, 32, size).get("w");
 * assertEquals(place(1124), {
 *   name: "w", kind: "Q4_0", shape: [2, 32], offset: 1088, byteLength: 36,
 * });
 * assertThrows(() => place(1123), RangeError, 'tensor "w" ends at byte 1124');
 * ```
 */
export function placeTensors(
  infos: readonly TensorInfo[],
  headerEnd: number,
  alignment: unknown,
  size: number,
): Map<string, GgufTensor> {
  if (typeof alignment !== "number" || !(alignment > 0) || 65536 % alignment !== 0) {
    throw new RangeError(`its alignment is ${alignment}, not a power of two up to 65536`);
  }
  const start = Math.ceil(headerEnd / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const info of infos) {
    const tensor = placeTensor(info, start, alignment);
    const name = JSON.stringify(info.name);
    if (tensor.offset + tensor.byteLength > size) {
      const end = tensor.offset + tensor.byteLength;
      throw new RangeError(`tensor ${name} ends at byte ${end}, past the file's ${size}`);
    }
    if (tensors.has(info.name)) throw new RangeError(`tensor ${name} stands twice`);
    tensors.set(info.name, tensor);
  }
  return tensors;
}

function placeTensor(info: TensorInfo, start: number, alignment: number): GgufTensor {
  const name = JSON.stringify(info.name);
  const kind = KINDS[info.dtype];
  if (kind === undefined) {
    throw new RangeError(
      `tensor ${name} is of kind ${info.dtype}, which is none of ${
        Object.values(KINDS).join(", ")
      }`,
    );
  }
  const shape = info.shape.map(Number).reverse();
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (shape.length < 1 || shape.length > 4 || count < 1 || !Number.isSafeInteger(count)) {
    throw new RangeError(`tensor ${name} has the impossible shape [${shape.join(", ")}]`);
  }
  const block = BLOCKS[kind];
  if (shape.at(-1)! % block.size !== 0) {
    throw new RangeError(
      `tensor ${name} has rows of ${shape.at(-1)} weights, no multiple of ${kind}'s ${block.size}`,
    );
  }
  const offset = Number(info.offset);
  if (!Number.isSafeInteger(offset) || offset % alignment !== 0) {
    throw new RangeError(`tensor ${name} has offset ${offset}, no multiple of ${alignment}`);
  }
  const byteLength = count / block.size * block.bytes;
  return { name: info.name, kind, shape, offset: start + offset, byteLength };
}
