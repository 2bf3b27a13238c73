/**
 * Transformer blocks in a graph.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import type { Attention } from "./attention.ts";
import { concatenate } from "./concatenate.ts";
import { pairRows } from "./head_order.ts";
import { type Precision, writeLinear } from "./linear.ts";
import { type Matrix, matrixOf, stack } from "./matrix.ts";
import type { OnnxFile } from "./onnx_file.ts";
import { expectedShapes } from "./tensor_shapes.ts";

/** Where weights come from, by GGUF's tensor names. */
export interface WeightSource {
  /** A tensor's values, row by row: all, or rows `from` up to, not including, `to`. */
  readFloats(name: string, from?: number, to?: number): Float32Array;
}

/** A network's blocks: their sizes, weights and precision. */
export interface Layers {
  /** Sizes and constants. */
  readonly architecture: Architecture;
  /** The tensors, in GGUF's order. */
  readonly weights: WeightSource;
  /** Precision of the matrices. */
  readonly precision: Precision;
}

/**
 * Writes all layers of a network.
 *
 * @param file The graph.
 * @param embedded What the first layer reads: [B, S, hidden].
 * @param layers The network.
 * @param attention Its attention.
 * @returns The residual stream after the last layer: [B, S, hidden].
 */
export function writeLayers(
  file: OnnxFile,
  embedded: string,
  { architecture, weights, precision }: Layers,
  attention: Attention,
): string {
  const { layers, hidden, heads, keyValueHeads, headSize, epsilon } = architecture;
  const shapes = expectedShapes(architecture);
  /** Adds a block's output to the residual stream; gives the stream and its normalised form. */
  const addAndNormalise = (stream: string, output: string, name: string): [string, string] => {
    const sum = file.name("stream");
    const scale = file.vector(name, [hidden], () => weights.readFloats(`${name}.weight`));
    const normal = file.node(
      "com.microsoft::SkipSimplifiedLayerNormalization",
      [stream, output, scale],
      {
        attributes: { epsilon: { float: epsilon } },
        outputs: [file.name("normal"), "", "", sum],
      },
    );
    return [sum, normal];
  };

  let stream = embedded;
  let normal = writeNorm(file, stream, "blk.0.attn_norm", architecture, weights);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blk.${layer}`;
    const matrix = (part: string): Matrix => {
      const name = `${block}.${part}.weight`;
      const [rows, columns] = shapes.get(name) as [number, number];
      return matrixOf({ rows, columns }, (from, to) => weights.readFloats(name, from, to));
    };
    const linear = (
      x: string,
      name: string,
      parts: readonly Matrix[],
      bias?: () => Float32Array,
    ): string => {
      const whole = { name: `${block}.${name}`, matrix: stack(parts), bias };
      return writeLinear(file, x, whole, precision);
    };
    /** Puts each rotary pair's rows, or figures, of whole heads side by side. */
    const pair = (values: Float32Array, heads: number): Float32Array =>
      architecture.ropeStyle === "adjacent" ? values : pairRows(values, { heads, headSize });
    const headMatrix = (part: string, heads: number): Matrix => {
      const name = `${block}.${part}.weight`;
      const shape = { rows: heads * headSize, columns: hidden, unit: headSize };
      return matrixOf(
        shape,
        (from, to) => pair(weights.readFloats(name, from, to), (to - from) / headSize),
      );
    };
    const headVector = (part: string, heads: number): Float32Array =>
      pair(weights.readFloats(`${block}.${part}`), heads);

    const bias = (): Float32Array =>
      concatenate([
        headVector("attn_q.bias", heads),
        headVector("attn_k.bias", keyValueHeads),
        weights.readFloats(`${block}.attn_v.bias`),
      ]);
    const projected = linear(
      normal,
      "attn_qkv",
      [headMatrix("attn_q", heads), headMatrix("attn_k", keyValueHeads), matrix("attn_v")],
      architecture.attentionBias ? bias : undefined,
    );
    const norms = architecture.queryKeyNorm
      ? { query: headVector("attn_q_norm.weight", 1), key: headVector("attn_k_norm.weight", 1) }
      : undefined;
    const attended = attention.write(projected, layer, norms);
    const mixed = linear(attended, "attn_output", [matrix("attn_output")]);
    [stream, normal] = addAndNormalise(stream, mixed, `${block}.ffn_norm`);

    const fed = writeFeedForward(file, normal, layer, { architecture, weights, precision });
    if (layer < layers - 1) {
      [stream, normal] = addAndNormalise(stream, fed, `blk.${layer + 1}.attn_norm`);
    } else {
      stream = file.node("Add", [stream, fed]);
    }
  }
  return stream;
}

/**
 * Writes a layer's feed-forward block: down(SiLU(gate x) · up x).
 *
 * @param file The graph.
 * @param x What it reads, normalised: [..., hidden].
 * @param layer Which layer's.
 * @param layers The network.
 * @returns What is to be added to the stream, in the shape of `x`.
 */
export function writeFeedForward(
  file: OnnxFile,
  x: string,
  layer: number,
  { architecture, weights, precision }: Layers,
): string {
  const { hidden, feedForward } = architecture;
  const block = `blk.${layer}`;
  const linear = (x: string, name: string, parts: readonly Matrix[]): string =>
    writeLinear(file, x, { name: `${block}.${name}`, matrix: stack(parts) }, precision);
  const matrix = (part: string, rows: number, columns: number): Matrix =>
    matrixOf(
      { rows, columns },
      (from, to) => weights.readFloats(`${block}.${part}.weight`, from, to),
    );
  const wide = ["ffn_gate", "ffn_up"].map((part) => matrix(part, feedForward, hidden));
  const [gate, up] = [file.name("gate"), file.name("up")];
  file.node("Split", [
    linear(x, "ffn_gate_up", wide),
    file.integers([feedForward, feedForward]),
  ], { attributes: { axis: -1 }, outputs: [gate, up] });
  const activated = file.node("Mul", [
    file.node("com.microsoft::QuickGelu", [gate], { attributes: { alpha: { float: 1 } } }), // SiLU
    up,
  ]);
  return linear(activated, "ffn_down", [matrix("ffn_down", hidden, feedForward)]);
}

/** Writes a root-mean-square norm with the scale of that name; gives its output's. */
export function writeNorm(
  file: OnnxFile,
  x: string,
  name: string,
  { hidden, epsilon }: Architecture,
  weights: WeightSource,
  output: string = file.name("SimplifiedLayerNormalization"),
): string {
  const scale = file.vector(name, [hidden], () => weights.readFloats(`${name}.weight`));
  return file.node("SimplifiedLayerNormalization", [x, scale], {
    attributes: { epsilon: { float: epsilon }, axis: -1 },
    outputs: [output],
  });
}
