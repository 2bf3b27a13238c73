/**
 * The ONNX graphs of drafts that borrow from their target. They lie beside the target's, over its
 * weights and a file of their own; inputs and outputs are those of `graph.ts`, and of the graph of a
 * feature-level head also
 *
 * | input, output | shape | meaning |
 * |---|---|---|
 * | features | [B, S, hidden] | the hidden state of the token before each new one |
 * | hidden | [B·S, hidden] | what it foretells as each new token's own |
 *
 * @module
 */

import { type AttentionForm, openAttention } from "./attention.ts";
import type { DraftNetwork } from "./draft_file.ts";
import { factorsOf, FORMS, writeFinal } from "./graph.ts";
import {
  type Layers,
  type WeightSource,
  writeFeedForward,
  writeLayers,
  writeNorm,
} from "./layers.ts";
import { type Precision, writeLinear } from "./linear.ts";
import { matrixOf } from "./matrix.ts";
import { OnnxFile } from "./onnx_file.ts";
import {
  embeddedIn,
  type TokenMatrices,
  writeEmbedding,
  writeHead,
  writeTrimmedHead,
} from "./token_matrices.ts";
import type { TokenId } from "./token.ts";
import type { WeightFile } from "./weight_file.ts";

/** A draft's network and weights, and what they become. */
export interface DraftSource extends DraftNetwork {
  /** The file's tensors, in GGUF's order. */
  readonly weights: WeightSource;
  /** Precision of the draft's own matrices. */
  readonly precision: Precision;
  /** Precision of its output head, whose weights are the target's. */
  readonly headPrecision: Precision;
  /** The only tokens to score, ascending. Default: all. */
  readonly vocabulary?: readonly TokenId[] | undefined;
}

/**
 * Writes a draft's graphs, one for each form of attention.
 *
 * @param borrowed The target's file of weights, finished.
 * @param file The draft's file of weights, in the same folder; it is finished here.
 * @param draft The draft.
 * @param target The target, as its file was written.
 * @param fileName The name of each form's file.
 */
export function writeDraftForms(
  borrowed: WeightFile,
  file: WeightFile,
  draft: DraftSource,
  target: TokenMatrices,
  fileName: (form: AttentionForm) => string,
): void {
  for (const form of FORMS) {
    const graph = new OnnxFile(borrowed);
    writeDraft(graph, graph.over(file), draft, target, form);
    graph.finish(fileName(form));
  }
  file.finish();
}

/** `graph` adds what is over the target's weights, `own` what is over the draft's. */
function writeDraft(
  graph: OnnxFile,
  own: OnnxFile,
  draft: DraftSource,
  target: TokenMatrices,
  form: AttentionForm,
): void {
  const { role, architecture, weights, precision, headPrecision, vocabulary } = draft;
  graph.input("tokens", "int64", ["B", "S"]);
  const logitRows = graph.input("logit_rows", "int64", ["N"]);
  const embedded = writeEmbedding(graph, target);
  const blocks: Layers = { architecture: draft.own, weights, precision };
  let scored: string;
  if (role === "exit") {
    const whole = { ...target, architecture };
    const attention = openAttention(graph, architecture, form, factorsOf(whole));
    scored = writeExit(own, writeLayers(graph, embedded, whole, attention), logitRows, blocks);
  } else {
    const fed = role === "feature" ? writeFeatures(own, embedded, blocks) : embedded;
    const attention = openAttention(own, architecture, form, factorsOf(blocks));
    const stream = writeLayers(own, fed, blocks, attention);
    scored = writeFinal(own, stream, logitRows, blocks, role === "feature");
  }
  const head = { ...target, headPrecision };
  if (vocabulary) writeTrimmedHead(own, scored, head, vocabulary);
  else writeHead(isBuilt(target, headPrecision) ? graph : own, scored, head);
  const size = vocabulary?.length ?? target.architecture.vocabularySize;
  graph.output("logits", "float32", ["N", size]);
}

/** What a feature-level head's layer reads: fc(embedding ‖ feature). */
function writeFeatures(own: OnnxFile, embedded: string, blocks: Layers): string {
  const { architecture: { hidden }, weights, precision } = blocks;
  const features = own.input("features", "float32", ["B", "S", hidden]);
  const pair = own.node("Concat", [embedded, features], { attributes: { axis: -1 } });
  const shape = { rows: hidden, columns: 2 * hidden };
  const matrix = matrixOf(shape, (from, to) => weights.readFloats("fc.weight", from, to));
  return writeLinear(own, pair, { name: "fc", matrix }, precision);
}

/** What an exit head makes of the stream after the target's first layers: [N, hidden]. */
function writeExit(own: OnnxFile, stream: string, logitRows: string, blocks: Layers): string {
  const { architecture, weights } = blocks;
  const flat = own.node("Reshape", [stream, own.integers([-1, architecture.hidden])]);
  const left = own.node("Gather", [flat, logitRows], { attributes: { axis: 0 } });
  const normal = writeNorm(own, left, "blk.0.ffn_norm", architecture, weights);
  const sum = own.node("Add", [left, writeFeedForward(own, normal, 0, blocks)]);
  return writeNorm(own, sum, "output_norm", architecture, weights);
}

/** Whether the target's weights have its head in this precision. */
function isBuilt(target: TokenMatrices, precision: Precision): boolean {
  const tied = target.architecture.tiedHead && precision === embeddedIn(target);
  return tied || precision === target.headPrecision;
}
