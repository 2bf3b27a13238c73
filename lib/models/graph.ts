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
 * The output `logits` is [N, V], or [N, kept] where the vocabulary is trimmed. Graphs that expose
 * hidden states have the output `hidden` too, [B·S, hidden]: what the head multiplies, of all tokens.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import { type AttentionForm, openAttention } from "./attention.ts";
import { type Layers, type WeightSource, writeLayers, writeNorm } from "./layers.ts";
import type { Precision } from "./linear.ts";
import { OnnxFile } from "./onnx_file.ts";
import type { TokenId } from "./token.ts";
import { writeEmbedding, writeHead, writeTrimmedHead } from "./token_matrices.ts";
import type { WeightFile } from "./weight_file.ts";

export type { AttentionForm } from "./attention.ts";
export type { WeightSource } from "./layers.ts";
export type { Precision } from "./linear.ts";

/** What the graph's weights become. */
export interface GraphOptions {
  /** Precision of the matrices. */
  readonly precision: Precision;
  /** Precision of the output head. */
  readonly headPrecision: Precision;
  /** The only tokens to score, ascending. Default: all. */
  readonly vocabulary?: readonly TokenId[] | undefined;
  /** Whether all tokens' hidden states are an output. Default false. */
  readonly hidden?: boolean | undefined;
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
  const { vocabulary, hidden } = options;
  const network = { architecture, weights, ...options };
  file.input("tokens", "int64", ["B", "S"]);
  const logitRows = file.input("logit_rows", "int64", ["N"]);
  const attention = openAttention(file, architecture, options.form, factorsOf(network));
  const stream = writeLayers(file, writeEmbedding(file, network), network, attention);
  const scored = writeFinal(file, stream, logitRows, network, hidden);
  if (vocabulary) writeTrimmedHead(file, scored, network, vocabulary);
  else writeHead(file, scored, network);
  file.output("logits", "float32", ["N", vocabulary?.length ?? architecture.vocabularySize]);
}

/** The divisors of a network's rotary frequencies, if it has them. */
export function factorsOf(
  { architecture, weights }: Pick<Layers, "architecture" | "weights">,
): Float32Array | undefined {
  return architecture.ropeFactors ? weights.readFloats("rope_freqs.weight") : undefined;
}

/**
 * Writes the final norm. Only tokens that will be scored reach the head, the largest matrix: prefill
 * skips it. A token's norm does not depend on how many others are normalised with it.
 *
 * @param file The graph.
 * @param stream The residual stream after the last layer: [B, S, hidden].
 * @param logitRows Which of the B·S tokens to score.
 * @param network Sizes, and the norm's scale.
 * @param all Whether the hidden states of all tokens are an output, `hidden`.
 * @returns The scored tokens' hidden states: [N, hidden].
 */
export function writeFinal(
  file: OnnxFile,
  stream: string,
  logitRows: string,
  { architecture, weights }: Pick<Layers, "architecture" | "weights">,
  all = false,
): string {
  const { hidden } = architecture;
  const gather = (x: string): string =>
    file.node("Gather", [x, logitRows], { attributes: { axis: 0 } });
  const flat = file.node("Reshape", [stream, file.integers([-1, hidden])]);
  if (!all) return writeNorm(file, gather(flat), "output_norm", architecture, weights);
  const states = writeNorm(file, flat, "output_norm", architecture, weights, "hidden");
  file.output(states, "float32", ["T", hidden]);
  return gather(states);
}
