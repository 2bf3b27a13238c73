/**
 * Products with a matrix of weights, in each precision.
 *
 * @module
 */

import type { Matrix } from "./matrix.ts";
import type { OnnxFile } from "./onnx_file.ts";
import { BLOCK, quantize } from "./quantize.ts";

/** How weights are stored and multiplied. */
export type Precision = "fp32" | "int8" | "int4";

/** A matrix of weights in the graph, and what is added to its products. */
export interface Linear {
  /** Its name in the graph. */
  readonly name: string;
  /** The matrix. */
  readonly matrix: Matrix;
  /** Added to a product, if there is one. */
  readonly bias?: (() => Float32Array) | undefined;
}

/** MatMulNBits rounds activations to int8 blocks: its fast kernels. */
const ACCURACY_INT8 = 4;

/**
 * Writes x · matrixᵀ + bias.
 *
 * @param file The graph.
 * @param x The name of the left side.
 * @param linear The matrix.
 * @param precision The matrix's precision.
 * @param output The product's name.
 * @returns The product's name.
 */
export function writeLinear(
  file: OnnxFile,
  x: string,
  { name, matrix, bias }: Linear,
  precision: Precision,
  output: string = file.name(name),
): string {
  const biases = bias && [file.vector(`${name}.bias`, [matrix.rows], bias)];
  if (precision === "fp32") {
    const product = biases ? file.name(name) : output;
    file.node("com.microsoft::FusedMatMul", [x, writeMatrix(file, name, matrix)], {
      attributes: { transB: 1 },
      outputs: [product],
    });
    if (biases) file.node("Add", [product, ...biases], { outputs: [output] });
  } else {
    const { rows, columns } = matrix;
    const bits = precision === "int8" ? 8 : 4;
    const names = writeQuantizedMatrix(file, name, matrix, bits).map((name) => file.weight(name));
    if (biases) names.push("", "", ...biases);
    file.node("com.microsoft::MatMulNBits", [x, ...names], {
      attributes: { K: columns, N: rows, bits, block_size: BLOCK, accuracy_level: ACCURACY_INT8 },
      outputs: [output],
    });
  }
  return output;
}

/** Writes a matrix as it is, unless that was done before; gives its name. */
export function writeMatrix(file: OnnxFile, name: string, matrix: Matrix): string {
  if (!file.weights.place(name)) {
    const write = file.weights.reserve(name, "float32", [matrix.rows, matrix.columns]);
    for (const piece of matrix.pieces()) write(piece);
  }
  return file.weight(name);
}

/**
 * Writes a matrix in blocks, unless that was done before.
 *
 * @param file The graph.
 * @param name The matrix's name.
 * @param matrix The matrix.
 * @param bits Bits of a code.
 * @returns The names of its codes and scales, in the shapes that MatMulNBits reads.
 * @throws {RangeError} If its rows do not fill whole blocks.
 */
export function writeQuantizedMatrix(
  file: OnnxFile,
  name: string,
  { rows, columns, pieces }: Matrix,
  bits: 4 | 8,
): [codes: string, scales: string] {
  if (columns % BLOCK !== 0) {
    throw new RangeError(
      `Cannot build an int${bits} graph as ${name} has rows of ${columns} weights, no multiple of ${BLOCK}: use fp32`,
    );
  }
  const [codes, scales] = [`${name}.codes`, `${name}.scales`];
  if (!file.weights.place(codes)) {
    const shape = [rows, columns / BLOCK, BLOCK * bits / 8];
    const writeCodes = file.weights.reserve(codes, "uint8", shape);
    const writeScales = file.weights.reserve(scales, "float32", [rows * columns / BLOCK]);
    for (const piece of pieces()) {
      const quantized = quantize(piece, bits);
      writeCodes(quantized.codes);
      writeScales(quantized.scales);
    }
  }
  return [codes, scales];
}
