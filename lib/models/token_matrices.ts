/**
 * The two matrices with a row for each token: the embedding, and the output head.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import { concatenate } from "./concatenate.ts";
import type { WeightSource } from "./layers.ts";
import { type Precision, writeLinear, writeMatrix, writeQuantizedMatrix } from "./linear.ts";
import { type Matrix, matrixOf } from "./matrix.ts";
import type { OnnxFile } from "./onnx_file.ts";
import { BLOCK } from "./quantize.ts";
import type { TokenId } from "./token.ts";

/** A network's token matrices, and how they are stored. */
export interface TokenMatrices {
  /** Sizes, and whether the head is the embedding. */
  readonly architecture: Architecture;
  /** The tensors. */
  readonly weights: WeightSource;
  /** Precision of the network's matrices, which decides the embedding's. */
  readonly precision: Precision;
  /** Precision of the output head. */
  readonly headPrecision: Precision;
}

/**
 * Writes the embedding: fp32, or int8 beside quantised matrices.
 *
 * @param file The graph; its input `tokens` is read.
 * @param network The embedding's network.
 * @returns The tokens' rows: [B, S, hidden].
 */
export function writeEmbedding(file: OnnxFile, network: TokenMatrices): string {
  const name = "token_embd";
  const matrix = tokenMatrix(network, name);
  if (network.precision === "fp32") {
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
 * Writes the output head: a matrix of its own, or the embedding's where that has its precision. The
 * graph's output is `logits`.
 *
 * @param file The graph.
 * @param x What is scored: [N, hidden].
 * @param network The head's network.
 */
export function writeHead(file: OnnxFile, x: string, network: TokenMatrices): void {
  const source = sourceOf(network);
  const shared = source === "token_embd" && network.headPrecision === embeddedIn(network);
  const whole = { name: shared ? source : "head", matrix: tokenMatrix(network, source) };
  writeLinear(file, x, whole, network.headPrecision, "logits");
}

/**
 * Writes an output head of some tokens' rows.
 *
 * @param file The graph.
 * @param x What is scored: [N, hidden].
 * @param network The head's network.
 * @param tokens The tokens to score, ascending.
 */
export function writeTrimmedHead(
  file: OnnxFile,
  x: string,
  network: TokenMatrices,
  tokens: readonly TokenId[],
): void {
  const name = `${sourceOf(network)}.weight`;
  const row = (token: TokenId): Float32Array => network.weights.readFloats(name, token, token + 1);
  const matrix = matrixOf(
    { rows: tokens.length, columns: network.architecture.hidden },
    (from, to) => concatenate(tokens.slice(from, to).map(row)),
  );
  writeLinear(file, x, { name: "head", matrix }, network.headPrecision, "logits");
}

/** The embedding's precision: rows of fewer than 8 bits would cost more than they save. */
export function embeddedIn({ precision }: Pick<TokenMatrices, "precision">): Precision {
  return precision === "fp32" ? "fp32" : "int8";
}

function sourceOf({ architecture }: TokenMatrices): string {
  return architecture.tiedHead ? "token_embd" : "output";
}

function tokenMatrix({ architecture, weights }: TokenMatrices, name: string): Matrix {
  const shape = { rows: architecture.vocabularySize, columns: architecture.hidden };
  return matrixOf(shape, (from, to) => weights.readFloats(`${name}.weight`, from, to));
}
