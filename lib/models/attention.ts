/**
 * The two forms of attention that a graph may take. Both update a cache [B, kv, P, d] in place, with
 * every key at its own slot.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import { concatenate } from "./concatenate.ts";
import { type HeadNorms, normaliseHeads } from "./head_norms.ts";
import type { OnnxFile } from "./onnx_file.ts";
import { openRotation, rotaryFrequencies, writeRotaryTable } from "./rotary.ts";

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
  /** Packs a layer's query, key and value matrices into one, or their biases. */
  pack(query: Float32Array, key: Float32Array, value: Float32Array): Float32Array;
  /** Writes a layer's attention over the packed projections; gives what it found, [B, S, heads · d]. */
  write(packed: string, layer: number, norms?: HeadNorms): string;
}

/**
 * Declares a form's inputs and tables.
 *
 * @param file The graph.
 * @param architecture Sizes and constants.
 * @param form The form.
 * @param factors Divisors of the rotary frequencies, if the file has them.
 * @returns What writes the layers.
 */
export function openAttention(
  file: OnnxFile,
  architecture: Architecture,
  form: AttentionForm,
  factors?: Float32Array,
): Attention {
  const frequencies = rotaryFrequencies(architecture, factors);
  const open = form === "grouped" ? grouped : scattered;
  return open(file, architecture, frequencies);
}

function grouped(
  file: OnnxFile,
  architecture: Architecture,
  frequencies: readonly number[],
): Attention {
  const { heads, keyValueHeads, headSize, contextLength } = architecture;
  const lastSlots = file.input("last_slots", "int32", ["B"]);
  const total = file.input("total", "int32", []);
  const columns = { turning: frequencies.length, still: 0 };
  const { cos, sin } = writeRotaryTable(file, contextLength, frequencies, columns);
  const normalise = (packed: string, name: string, norms: HeadNorms): string => {
    const [turning, value] = split(file, packed, ["turning", "value"], [
      (heads + keyValueHeads) * headSize,
      keyValueHeads * headSize,
    ]);
    const lying = { leading: 2, queries: heads, keys: keyValueHeads };
    const normal = normaliseHeads(file, turning!, name, norms, { ...architecture, ...lying });
    return file.node("Concat", [normal, value!], { attributes: { axis: -1 } });
  };
  return {
    pack: (query, key, value) => concatenate([query, key, value]),
    write(packed, layer, norms) {
      const projected = norms ? normalise(packed, `blk.${layer}.head_norms`, norms) : packed;
      const [key, value] = declareCache(file, architecture, layer);
      return file.node(
        "com.microsoft::GroupQueryAttention",
        [projected, "", "", key.past, value.past, lastSlots, total, cos, sin],
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

function scattered(
  file: OnnxFile,
  architecture: Architecture,
  frequencies: readonly number[],
): Attention {
  const { heads, keyValueHeads, headSize, queryKeyNorm } = architecture;
  const groups = heads / keyValueHeads;
  file.input("positions", "int64", ["B", "S"]);
  const slots = file.input("slots", "int64", ["B"]);
  const mask = file.input("mask", "float32", ["B", 1, "Sg", "P"]);
  // A key/value group turns as one: its query heads and its key by the same angles, its value by
  // none. Where norms come first, the value is split off before.
  const group = { turning: groups + 1, still: queryKeyNorm ? 0 : 1 };
  const rotate = openRotation(file, architecture, frequencies, group);
  /** [B, S, kv · x] to [B, kv, S, x]. */
  const byGroup = (x: string): string =>
    file.node("Transpose", [
      file.node("Reshape", [x, file.integers([0, 0, keyValueHeads, -1])]),
    ], { attributes: { perm: [0, 2, 1, 3] } });
  /** Queries [B, kv, S, g · d], keys and values [B, kv, S, d], turned. */
  const project = (packed: string, name: string, norms?: HeadNorms): string[] => {
    const names = ["query", "key", "value"];
    if (!norms) {
      const sizes = [groups * headSize, headSize, headSize];
      return split(file, byGroup(rotate(packed)), names, sizes);
    }
    const sizes = [(groups + 1) * headSize, headSize];
    const [turning, value] = split(file, byGroup(packed), ["turning", "value"], sizes);
    const lying = { leading: 3, queries: groups, keys: 1 };
    const normal = normaliseHeads(file, turning!, name, norms, { ...architecture, ...lying });
    const rotated = rotate(normal);
    return [...split(file, rotated, ["query", "key"], [groups * headSize, headSize]), value!];
  };
  return {
    pack(query, key, value) {
      const part = (whole: Float32Array, head: number): Float32Array => {
        const size = whole.length / keyValueHeads;
        return whole.subarray(head * size, (head + 1) * size);
      };
      return concatenate(
        Array.from({ length: keyValueHeads }, (_, head) => [
          part(query, head),
          part(key, head),
          part(value, head),
        ]).flat(),
      );
    },
    write(packed, layer, norms) {
      const news = project(packed, `blk.${layer}.head_norms`, norms);
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

/** Cuts the last dimension into parts. */
function split(
  file: OnnxFile,
  x: string,
  names: readonly string[],
  sizes: readonly number[],
): string[] {
  const outputs = names.map((name) => file.name(name));
  file.node("Split", [x, file.integers(sizes)], { attributes: { axis: -1 }, outputs });
  return outputs;
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
