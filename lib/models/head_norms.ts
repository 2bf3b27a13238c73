/**
 * Norms of single heads, as Qwen3 has them between projection and rotation.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import { concatenate } from "./concatenate.ts";
import type { OnnxFile } from "./onnx_file.ts";

/** The scales, d figures each, of the norms that every query head and every key head goes through. */
export interface HeadNorms {
  /** The query heads' scale. */
  readonly query: Float32Array;
  /** The key heads' scale. */
  readonly key: Float32Array;
}

/**
 * Normalises the query and key heads of tokens, each head by itself. The library takes a scale of
 * more dimensions than are normalised, so that one node serves queries and keys.
 *
 * @param file The graph.
 * @param x The heads side by side, queries first: [B, S, (heads + kv) · d].
 * @param name The scales' name in the graph.
 * @param norms The scales.
 * @param architecture Sizes, and the ε of the norms.
 * @returns The heads, normalised and apart: [B, S, heads + kv, d].
 */
export function normaliseHeads(
  file: OnnxFile,
  x: string,
  name: string,
  norms: HeadNorms,
  { heads, keyValueHeads, headSize, epsilon }: Architecture,
): string {
  const shape = [heads + keyValueHeads, headSize];
  const scale = file.vector(name, shape, () =>
    concatenate([
      ...new Array<Float32Array>(heads).fill(norms.query),
      ...new Array<Float32Array>(keyValueHeads).fill(norms.key),
    ]));
  const apart = file.node("Reshape", [x, file.integers([0, 0, ...shape])]);
  return file.node("SimplifiedLayerNormalization", [apart, scale], {
    attributes: { epsilon: { float: epsilon }, axis: -1 },
  });
}
