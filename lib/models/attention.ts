/**
 * The two forms of attention that a graph may take. Both update a cache [B, kv, P, d] in place, with
 * every key at its own slot.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import type { OnnxFile } from "./onnx_file.ts";

/**
 * - `scattered`: new keys and values are scattered into the cache, and attention reads all of it
 *   through a mask. It serves single tokens, verification, ragged batches and trees, and a token's
 *   logits do not depend on what else is evaluated with it.
 * - `grouped`: one GroupQueryAttention node does all. It reads only the slots that are text and has
 *   kernels of its own for one token, so it is often faster; but it serves one row without branches,
 *   and its sums for one token differ in the last bit from those for several.
 */
export type AttentionForm = "scattered" | "grouped";

/** Attention in one of its forms. */
export interface Attention {
  /** Packs a layer's query, key and value matrices, [rows, hidden] each, into one. */
  pack(query: Float32Array, key: Float32Array, value: Float32Array): Float32Array;
  /** Writes a layer's attention over the packed projections; gives what it found, [B, S, heads · d]. */
  write(packed: string, layer: number): string;
}

/**
 * Declares a form's inputs and tables.
 *
 * @param file The graph.
 * @param architecture Sizes and constants.
 * @param form The form.
 * @returns What writes the layers.
 */
export function openAttention(
  file: OnnxFile,
  architecture: Architecture,
  form: AttentionForm,
): Attention {
  return form === "grouped" ? grouped(file, architecture) : scattered(file, architecture);
}

function grouped(file: OnnxFile, architecture: Architecture): Attention {
  const { heads, keyValueHeads, headSize } = architecture;
  const lastSlots = file.input("last_slots", "int32", ["B"]);
  const total = file.input("total", "int32", []);
  const { cos, sin } = writeRotary(file, architecture, { turning: 1, still: 0 });
  return {
    pack: (query, key, value) => concatenate([query, key, value]),
    write(packed, layer) {
      const [key, value] = declareCache(file, architecture, layer);
      return file.node(
        "com.microsoft::GroupQueryAttention",
        [packed, "", "", key.past, value.past, lastSlots, total, cos, sin],
        {
          attributes: {
            num_heads: heads,
            kv_num_heads: keyValueHeads,
            do_rotary: 1,
            rotary_interleaved: 1,
            scale: { float: 1 / Math.sqrt(headSize) },
          },
          outputs: [file.name("attended"), key.present, value.present],
        },
      );
    },
  };
}

function scattered(file: OnnxFile, architecture: Architecture): Attention {
  const { heads, keyValueHeads, headSize, hidden } = architecture;
  const groups = heads / keyValueHeads;
  const positions = file.input("positions", "int64", ["B", "S"]);
  const slots = file.input("slots", "int64", ["B"]);
  const mask = file.input("mask", "float32", ["B", 1, "Sg", "P"]);
  // A key/value group turns as one: its query heads and its key by the same angles, its value by none.
  const { cos, sin } = writeRotary(file, architecture, { turning: groups + 1, still: 1 });
  return {
    pack(query, key, value) {
      const one = headSize * hidden;
      const part = (matrix: Float32Array, size: number, head: number): Float32Array =>
        matrix.subarray(head * size, (head + 1) * size);
      return concatenate(
        Array.from({ length: keyValueHeads }, (_, head) => [
          part(query, groups * one, head),
          part(key, one, head),
          part(value, one, head),
        ]).flat(),
      );
    },
    write(packed, layer) {
      const rotated = file.node(
        "com.microsoft::RotaryEmbedding",
        [packed, positions, cos, sin],
        { attributes: { interleaved: 1 } },
      );
      const byHead = file.node("Transpose", [
        file.node("Reshape", [rotated, file.integers([0, 0, keyValueHeads, -1])]),
      ], { attributes: { perm: [0, 2, 1, 3] } });
      const news = [file.name("query"), file.name("key"), file.name("value")];
      file.node("Split", [byHead, file.integers([groups * headSize, headSize, headSize])], {
        attributes: { axis: -1 },
        outputs: news,
      });
      const [keys, values] = declareCache(file, architecture, layer).map(({ past, present }, i) =>
        file.node("TensorScatter", [past, news[i + 1]!, slots], {
          attributes: { axis: -2 },
          outputs: [present],
        })
      );
      // Query heads that share a key head become rows of one head: each key is read once for all.
      const folded = file.node("Reshape", [news[0]!, file.integers([0, 0, -1, headSize])]);
      const attended = file.node("Attention", [folded, keys!, values!, mask], {
        attributes: { scale: { float: 1 / Math.sqrt(headSize) } },
      });
      const unfolded = file.node("Transpose", [
        file.node("Reshape", [attended, file.integers([0, keyValueHeads, -1, groups * headSize])]),
      ], { attributes: { perm: [0, 2, 1, 3] } });
      return file.node("Reshape", [unfolded, file.integers([0, 0, -1])]);
    },
  };
}

/** Declares a layer's cache, keys first, as input and output. */
function declareCache(
  file: OnnxFile,
  { keyValueHeads, headSize }: Architecture,
  layer: number,
): [Cached, Cached] {
  const declare = (side: string): Cached => {
    const shape = ["B", keyValueHeads, "P", headSize] as const;
    const present = `new.${layer}.${side}`;
    file.output(present, "float32", shape);
    return { past: file.input(`cache.${layer}.${side}`, "float32", shape), present };
  };
  return [declare("key"), declare("value")];
}

interface Cached {
  readonly past: string;
  readonly present: string;
}

/** Cosines and sines of every position for heads that turn, side by side, and heads that do not. */
function writeRotary(
  file: OnnxFile,
  { headSize, contextLength, ropeBase }: Architecture,
  heads: { readonly turning: number; readonly still: number },
): { cos: string; sin: string } {
  const half = headSize / 2;
  const turning = heads.turning * half;
  const columns = turning + heads.still * half;
  const cos = new Float32Array(contextLength * columns).fill(1);
  const sin = new Float32Array(contextLength * columns);
  for (let pair = 0; pair < half; pair++) {
    const frequency = ropeBase ** (-2 * pair / headSize);
    for (let position = 0; position < contextLength; position++) {
      const [c, s] = [Math.cos(position * frequency), Math.sin(position * frequency)];
      for (let column = pair; column < turning; column += half) {
        cos[position * columns + column] = c;
        sin[position * columns + column] = s;
      }
    }
  }
  const dims = [contextLength, columns];
  return {
    cos: file.weight("rotary.cos", "float32", dims, cos),
    sin: file.weight("rotary.sin", "float32", dims, sin),
  };
}

/** Several matrices as one. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
