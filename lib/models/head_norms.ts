/**
 * Norms of single heads, as Qwen3 has them between projection and rotation.
 *
 * @module
 */

import { concatenate } from "./concatenate.ts";
import type { OnnxFile } from "./onnx_file.ts";

/** The scales, d figures each, of the norms that every query head and every key head goes through. */
export interface HeadNorms {
  /** The query heads' scale. */
  readonly query: Float32Array;
  /** The key heads' scale. */
  readonly key: Float32Array;
}

/** How heads lie in a tensor [..., heads · d]. */
export interface HeadLayout {
  /** Dimensions before the heads. */
  readonly leading: number;
  /** Query heads side by side, which come first. */
  readonly queries: number;
  /** Key heads side by side. */
  readonly keys: number;
  /** The width of a head. */
  readonly headSize: number;
  /** The ε of the norms. */
  readonly epsilon: number;
}

/**
 * Normalises heads that lie side by side, each by itself. The library takes a scale of more
 * dimensions than are normalised, so that one node serves queries and keys.
 *
 * @param file The graph.
 * @param x The heads.
 * @param name The scales' name in the graph.
 * @param norms The scales.
 * @param layout How the heads lie.
 * @returns The heads, normalised, in the same layout.
 */
export function normaliseHeads(
  file: OnnxFile,
  x: string,
  name: string,
  norms: HeadNorms,
  layout: HeadLayout,
): string {
  const { leading, queries, keys, headSize, epsilon } = layout;
  const kept = new Array<number>(leading).fill(0);
  const shape = [queries + keys, headSize];
  const scales = concatenate([
    ...new Array<Float32Array>(queries).fill(norms.query),
    ...new Array<Float32Array>(keys).fill(norms.key),
  ]);
  const apart = file.node("Reshape", [x, file.integers([...kept, ...shape])]);
  const scale = file.weight(name, "float32", shape, scales);
  const normal = file.node("SimplifiedLayerNormalization", [apart, scale], {
    attributes: { epsilon: { float: epsilon }, axis: -1 },
  });
  return file.node("Reshape", [normal, file.integers([...kept, -1])]);
}
