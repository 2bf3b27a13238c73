/**
 * The tensors that a network of a given shape has.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";

/**
 * Every tensor that a network of this shape has, and the tensor's shape, outermost first.
 *
 * @param architecture The network's shape.
 * @returns Shapes by GGUF tensor name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const shapes = expectedShapes({
 *   name: "qwen3", layers: 1, hidden: 8, heads: 4, keyValueHeads: 2, headSize: 4, feedForward: 16,
 *   vocabularySize: 10, contextLength: 32, trainedLength: 32, epsilon: 1e-5, tiedHead: true,
 *   ropeBase: 1e4, ropeStyle: "halves", ropeScale: 1, ropeFactors: false,
 *   attentionBias: false, queryKeyNorm: true,
 * });
 * assertEquals(shapes.size, 13);
 * assertEquals(shapes.get("blk.0.attn_k.weight"), [8, 8]);
 * assertEquals(shapes.get("blk.0.attn_k_norm.weight"), [4]);
 * ```
 */
export function expectedShapes(architecture: Architecture): Map<string, number[]> {
  const { layers, hidden, heads, keyValueHeads, headSize, feedForward, vocabularySize } =
    architecture;
  const shapes = new Map<string, number[]>([
    ["token_embd.weight", [vocabularySize, hidden]],
    ["output_norm.weight", [hidden]],
  ]);
  if (!architecture.tiedHead) shapes.set("output.weight", [vocabularySize, hidden]);
  if (architecture.ropeFactors) shapes.set("rope_freqs.weight", [headSize / 2]);
  const rows = { q: heads * headSize, k: keyValueHeads * headSize, v: keyValueHeads * headSize };
  const block: Record<string, number[]> = {
    "attn_norm.weight": [hidden],
    "attn_q.weight": [rows.q, hidden],
    "attn_k.weight": [rows.k, hidden],
    "attn_v.weight": [rows.v, hidden],
    "attn_output.weight": [hidden, rows.q],
    "ffn_norm.weight": [hidden],
    "ffn_gate.weight": [feedForward, hidden],
    "ffn_up.weight": [feedForward, hidden],
    "ffn_down.weight": [hidden, feedForward],
    ...(architecture.attentionBias && {
      "attn_q.bias": [rows.q],
      "attn_k.bias": [rows.k],
      "attn_v.bias": [rows.v],
    }),
    ...(architecture.queryKeyNorm && {
      "attn_q_norm.weight": [headSize],
      "attn_k_norm.weight": [headSize],
    }),
  };
  for (let layer = 0; layer < layers; layer++) {
    for (const [name, shape] of Object.entries(block)) shapes.set(`blk.${layer}.${name}`, shape);
  }
  return shapes;
}
