/**
 * The two forms of attention that a graph may take. Both read the same weights, and update a cache
 * [B, kv, P, d] in place, with every key at its own slot.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import { type HeadNorms, normaliseHeads } from "./head_norms.ts";
import type { OnnxFile } from "./onnx_file.ts";
import { openRotation, rotaryFrequencies, writeRotaryTable } from "./rotary.ts";

/**
 * - `scattered`: new keys and values are scattered into the cache, and attention reads all of it
 *   through a mask. It serves single tokens, verification, ragged batches and trees, and a token's
 *   logits do not depend on what else is evaluated with it. Query heads that share a key head read it
 *   together, so that several tokens after long text are verified fastest so.
 * - `grouped`: one GroupQueryAttention node does all. It reads only the slots that are text and has
 *   kernels of its own for one token, so it is faster for one token and after short text; but it
 *   serves one row without branches, and its sums for one token differ in the last bit from those for
 *   several.
 */
export type AttentionForm = "scattered" | "grouped";

/** Attention in one of its forms. */
export interface Attention {
  /**
   * Writes a layer's attention over its projections [B, S, (heads + 2 kv) · d], queries first, then
   * keys, then values; gives what it found, [B, S, heads · d].
   */
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
  const { cos, sin } = writeRotaryTable(file, contextLength, frequencies);
  const normalise = (packed: string, name: string, norms: HeadNorms): string => {
    const [turning, value] = splitValues(file, packed, architecture);
    const normal = normaliseHeads(file, turning!, name, norms, architecture);
    const flat = file.node("Reshape", [normal, file.integers([0, 0, -1])]);
    return file.node("Concat", [flat, value!], { attributes: { axis: -1 } });
  };
  return {
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
  const slots = file.input("slots", "int64", ["B"]);
  const mask = file.input("mask", "float32", ["B", 1, "S", "P"]);
  // Query heads that share a key head become rows of one head, so that each key is read once for
  // all: a token's mask is that of each of its rows.
  const rows = new Array<string>(groups).fill(mask);
  const rowMask = groups === 1 ? mask : file.node("Concat", rows, { attributes: { axis: 2 } });
  /** [B, S, n, d] to [B, n, S, d]. */
  const byHead = (x: string): string =>
    file.node("Transpose", [x], { attributes: { perm: [0, 2, 1, 3] } });
  const asHeads = (x: string, heads: number): string =>
    file.node("Reshape", [x, file.integers([0, 0, heads, headSize])]);

  // Without norms, all heads of a token turn as one wide head, its values by no angle.
  const columns = queryKeyNorm ? { heads: 1, still: 0 } : {
    heads: heads + keyValueHeads,
    still: keyValueHeads,
  };
  const rotate = openRotation(file, architecture, frequencies, columns);
  /** Queries, keys and values by head, turned. */
  const project = (packed: string, name: string, norms?: HeadNorms): string[] => {
    if (!norms) {
      const all = byHead(asHeads(rotate(packed), heads + 2 * keyValueHeads));
      const sizes = [heads, keyValueHeads, keyValueHeads];
      return split(file, all, ["query", "key", "value"], sizes, 1);
    }
    const [turning, value] = splitValues(file, packed, architecture);
    const turned = rotate(byHead(normaliseHeads(file, turning!, name, norms, architecture)));
    const [query, key] = split(file, turned, ["query", "key"], [heads, keyValueHeads], 1);
    return [query!, key!, byHead(asHeads(value!, keyValueHeads))];
  };
  return {
    write(packed, layer, norms) {
      const news = project(packed, `blk.${layer}.head_norms`, norms);
      const [keys, values] = declareCache(file, architecture, layer).map(({ past, present }, i) =>
        file.node("TensorScatter", [past, news[i + 1]!, slots], {
          attributes: { axis: -2 },
          outputs: [present],
        })
      );
      const folded = file.node("Reshape", [
        news[0]!,
        file.integers([0, keyValueHeads, -1, headSize]),
      ]);
      // Spelt out: as one node, Attention, it takes up to half as long again (docs/log.md).
      const scores = file.node("com.microsoft::FusedMatMul", [folded, keys!], {
        attributes: { transB: 1, alpha: { float: 1 / Math.sqrt(headSize) } },
      });
      const masked = file.node("Add", [scores, rowMask]);
      const chances = file.node("Softmax", [masked], { attributes: { axis: -1 } });
      const attended = file.node("MatMul", [chances, values!]);
      const unfolded = file.node("Reshape", [attended, file.integers([0, heads, -1, headSize])]);
      const byToken = byHead(unfolded); // the way back is the same
      return file.node("Reshape", [byToken, file.integers([0, 0, -1])]);
    },
  };
}

/** Parts a token's values from what turns: queries and keys. */
function splitValues(
  file: OnnxFile,
  packed: string,
  { heads, keyValueHeads, headSize }: Architecture,
): string[] {
  const sizes = [(heads + keyValueHeads) * headSize, keyValueHeads * headSize];
  return split(file, packed, ["turning", "value"], sizes, -1);
}

/** Cuts a dimension into parts. */
function split(
  file: OnnxFile,
  x: string,
  names: readonly string[],
  sizes: readonly number[],
  axis: number,
): string[] {
  const outputs = names.map((name) => file.name(name));
  file.node("Split", [x, file.integers(sizes)], { attributes: { axis }, outputs });
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
