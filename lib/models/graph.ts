/**
 * The ONNX graphs of a decoder, from its architecture's facts and its weights.
 *
 * | input | shape | meaning |
 * |---|---|---|
 * | tokens | [B, S] | new tokens of each row |
 * | logit_rows | [N] | which of the B·S tokens to score |
 * | cache.L.key, cache.L.value | [B, kv, P, d] | the cache, also bound as new.L.key, new.L.value |
 * | *scattered:* positions | [B, S] | the tokens' positions in the text |
 * | slots | [B] | the cache slot of each row's first new token |
 * | mask | [B, 1, S, P] | added to scores: 0 where a token may look, −∞ elsewhere |
 * | *grouped:* last_slots | [B] | the cache slot of each row's last new token |
 * | total | scalar | slots in use after the pass |
 *
 * The output `logits` is [N, V], or [N, kept] where the vocabulary is trimmed.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import { type AttentionForm, openAttention } from "./attention.ts";
import { concatenate } from "./concatenate.ts";
import { pairRows } from "./head_order.ts";
import { type Precision, writeLinear, writeMatrix, writeQuantizedMatrix } from "./linear.ts";
import { type Matrix, matrixOf, stack } from "./matrix.ts";
import { OnnxFile } from "./onnx_file.ts";
import { BLOCK } from "./quantize.ts";
import { expectedShapes } from "./tensor_shapes.ts";
import type { TokenId } from "./token.ts";
import type { WeightFile } from "./weight_file.ts";

export type { AttentionForm } from "./attention.ts";
export type { Precision } from "./linear.ts";

/** What the graph's weights become. */
export interface GraphOptions {
  /** Precision of the matrices. */
  readonly precision: Precision;
  /** Precision of the output head. */
  readonly headPrecision: Precision;
  /** The only tokens to score, ascending. Default: all. */
  readonly vocabulary?: readonly TokenId[] | undefined;
}

/** Where weights come from, by GGUF's tensor names. */
export interface WeightSource {
  /** A tensor's values, row by row: all, or rows `from` up to, not including, `to`. */
  readFloats(name: string, from?: number, to?: number): Float32Array;
}

/** The forms of attention, each of which has a graph of its own: `scattered.onnx`. */
export const FORMS: readonly AttentionForm[] = ["scattered", "grouped"];

/** The name of the graph that turns logits into probabilities. */
export const SOFTMAX = "softmax";

/**
 * Writes the graphs of a Llama-family decoder, one for each form of attention, over one file of
 * weights, and one that turns logits into probabilities. Large tensors are read and written a few
 * rows at a time.
 *
 * @param file The file of weights, beside which the graphs are written; it is finished here.
 * @param architecture Sizes and constants.
 * @param weights The tensors, in GGUF's order.
 * @param options Precisions.
 */
export function writeGraphs(
  file: WeightFile,
  architecture: Architecture,
  weights: WeightSource,
  options: GraphOptions,
): void {
  writeForms(file, architecture, weights, options, (form) => `${form}.onnx`);
  writeSoftmax(new OnnxFile(file));
  file.finish();
}

/**
 * Writes the graphs of a decoder alone. Where the file has all of their weights, none are read.
 *
 * @param file The file of weights, beside which the graphs are written.
 * @param architecture Sizes and constants.
 * @param weights The tensors, in GGUF's order.
 * @param options Precisions.
 * @param fileName The name of each form's file.
 */
export function writeForms(
  file: WeightFile,
  architecture: Architecture,
  weights: WeightSource,
  options: GraphOptions,
  fileName: (form: AttentionForm) => string,
): void {
  for (const form of FORMS) {
    const graph = new OnnxFile(file);
    writeGraph(graph, architecture, weights, { ...options, form });
    graph.finish(fileName(form));
  }
}

/** softmax(logits / temperature): what sampling asks of few tokens, and plain code takes long for. */
function writeSoftmax(file: OnnxFile): void {
  const logits = file.input("logits", "float32", [1, "V"]);
  const temperature = file.input("temperature", "float32", []);
  const top = file.node("ReduceMax", [logits, file.integers([-1])]);
  // Differences first: of large quotients a float would lose the figures that tell them apart.
  const scaled = file.node("Div", [file.node("Sub", [logits, top]), temperature]);
  file.node("Softmax", [scaled], { attributes: { axis: -1 }, outputs: ["probabilities"] });
  file.output("probabilities", "float32", [1, "V"]);
  file.finish(`${SOFTMAX}.onnx`);
}

function writeGraph(
  file: OnnxFile,
  architecture: Architecture,
  weights: WeightSource,
  options: GraphOptions & { readonly form: AttentionForm },
): void {
  const { layers, hidden, heads, keyValueHeads, headSize, vocabularySize, epsilon } = architecture;
  file.input("tokens", "int64", ["B", "S"]);
  const logitRows = file.input("logit_rows", "int64", ["N"]);
  const factors = architecture.ropeFactors ? weights.readFloats("rope_freqs.weight") : undefined;
  const attention = openAttention(file, architecture, options.form, factors);
  const shapes = expectedShapes(architecture);
  const norm = (name: string): string =>
    file.vector(name, [hidden], () => weights.readFloats(`${name}.weight`));
  const attributes = { epsilon: { float: epsilon } };
  /** Adds a block's output to the residual stream; gives the stream and its normalised form. */
  const addAndNormalise = (stream: string, output: string, name: string): [string, string] => {
    const sum = file.name("stream");
    const normal = file.node(
      "com.microsoft::SkipSimplifiedLayerNormalization",
      [stream, output, norm(name)],
      { attributes, outputs: [file.name("normal"), "", "", sum] },
    );
    return [sum, normal];
  };

  let stream = writeEmbedding(file, architecture, weights, options);
  let normal = file.node("SimplifiedLayerNormalization", [stream, norm("blk.0.attn_norm")], {
    attributes: { ...attributes, axis: -1 },
  });
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
      return writeLinear(file, x, whole, options.precision);
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

    const [gate, up] = [file.name("gate"), file.name("up")];
    const { feedForward } = architecture;
    file.node("Split", [
      linear(normal, "ffn_gate_up", [matrix("ffn_gate"), matrix("ffn_up")]),
      file.integers([feedForward, feedForward]),
    ], { attributes: { axis: -1 }, outputs: [gate, up] });
    const activated = file.node("Mul", [
      file.node("com.microsoft::QuickGelu", [gate], { attributes: { alpha: { float: 1 } } }), // SiLU
      up,
    ]);
    const fed = linear(activated, "ffn_down", [matrix("ffn_down")]);
    if (layer < layers - 1) {
      [stream, normal] = addAndNormalise(stream, fed, `blk.${layer + 1}.attn_norm`);
    } else {
      stream = file.node("Add", [stream, fed]);
    }
  }

  // Only tokens that will be scored reach the head, the largest matrix: prefill skips it.
  const flat = file.node("Reshape", [stream, file.integers([-1, hidden])]);
  const scored = file.node("SimplifiedLayerNormalization", [
    file.node("Gather", [flat, logitRows], { attributes: { axis: 0 } }),
    norm("output_norm"),
  ], { attributes: { ...attributes, axis: -1 } });
  writeHead(file, scored, architecture, weights, options);
  file.output("logits", "float32", ["N", options.vocabulary?.length ?? vocabularySize]);
}

/** A matrix with a row for each token. */
function tokenMatrix(
  { vocabularySize, hidden }: Architecture,
  weights: WeightSource,
  name: string,
): Matrix {
  const shape = { rows: vocabularySize, columns: hidden };
  return matrixOf(shape, (from, to) => weights.readFloats(`${name}.weight`, from, to));
}

function writeEmbedding(
  file: OnnxFile,
  architecture: Architecture,
  weights: WeightSource,
  { precision }: GraphOptions,
): string {
  const name = "token_embd";
  const matrix = tokenMatrix(architecture, weights, name);
  if (precision === "fp32") {
    return file.node("Gather", [writeMatrix(file, name, matrix), "tokens"]);
  }
  const { rows, columns } = matrix;
  const [codes, scales] = writeQuantizedMatrix(file, name, matrix, 8);
  // The same memory as the head's, in the shape that rows are gathered from.
  const [rowCodes, rowScales] = [`${name}.row_codes`, `${name}.row_scales`];
  file.weights.alias(rowCodes, [rows, columns], codes);
  file.weights.alias(rowScales, [rows, columns / BLOCK], scales);
  return file.node("com.microsoft::GatherBlockQuantized", [
    file.weight(rowCodes),
    "tokens",
    file.weight(rowScales),
  ], { attributes: { bits: 8, block_size: BLOCK, gather_axis: 0, quantize_axis: 1 } });
}

/**
 * The output head: the kept rows of a matrix; a matrix of its own; or the embedding's where that has
 * its precision.
 */
function writeHead(
  file: OnnxFile,
  x: string,
  architecture: Architecture,
  weights: WeightSource,
  { precision, headPrecision, vocabulary }: GraphOptions,
): void {
  const source = architecture.tiedHead ? "token_embd" : "output";
  if (vocabulary) {
    const row = (token: TokenId): Float32Array =>
      weights.readFloats(`${source}.weight`, token, token + 1);
    const matrix = matrixOf(
      { rows: vocabulary.length, columns: architecture.hidden },
      (from, to) => concatenate(vocabulary.slice(from, to).map(row)),
    );
    writeLinear(file, x, { name: "head", matrix }, headPrecision, "logits");
    return;
  }
  const embedded = precision === "fp32" ? "fp32" : "int8";
  const shared = architecture.tiedHead && headPrecision === embedded;
  const matrix = tokenMatrix(architecture, weights, source);
  writeLinear(file, x, { name: shared ? source : "head", matrix }, headPrecision, "logits");
}
