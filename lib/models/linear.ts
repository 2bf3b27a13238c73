/**
 * Products with a matrix of weights, in each precision.
 *
 * @module
 */

import type { OnnxFile } from "./onnx_file.ts";
import { BLOCK, quantize } from "./quantize.ts";

/** How weights are stored and multiplied. */
export type Precision = "fp32" | "int8" | "int4";

/** A matrix of weights, and what is added to its products. */
export interface Linear {
  /** Its name in the graph. */
  readonly name: string;
  /** Its values, row by row. */
  readonly values: Float32Array;
  /** The length of a row. */
  readonly columns: number;
  /** Added to a product, if there is one. */
  readonly bias?: Float32Array | undefined;
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
  linear: Linear,
  precision: Precision,
  output: string = file.name(linear.name),
): string {
  const { name, values, columns } = linear;
  const rows = values.length / columns;
  const writeBias = (bias: Float32Array): string =>
    file.weight(`${name}.bias`, "float32", [rows], bias);
  if (precision === "fp32") {
    const product = linear.bias ? file.name(name) : output;
    writeProduct(file, x, file.weight(name, "float32", [rows, columns], values), product);
    if (linear.bias) {
      file.node("Add", [product, writeBias(linear.bias)], { outputs: [output] });
    }
  } else {
    if (columns % BLOCK !== 0) {
      throw new RangeError(
        `Cannot build an ${precision} graph as ${name} has rows of ${columns} weights, no multiple of ${BLOCK}: use fp32`,
      );
    }
    const { bits, codes, scales } = quantize(values, precision === "int8" ? 8 : 4);
    const shape = [rows, columns / BLOCK, BLOCK * bits / 8];
    const names = [
      file.weight(`${name}.codes`, "uint8", shape, codes),
      file.weight(`${name}.scales`, "float32", [rows * columns / BLOCK], scales),
    ];
    if (linear.bias) names.push("", "", writeBias(linear.bias));
    writeQuantizedProduct(file, x, names, [rows, columns], bits, output);
  }
  return output;
}

/** Writes x · matrixᵀ for a float32 matrix of the graph. */
export function writeProduct(file: OnnxFile, x: string, matrix: string, output: string): void {
  file.node("com.microsoft::FusedMatMul", [x, matrix], {
    attributes: { transB: 1 },
    outputs: [output],
  });
}

/** Writes x · matrixᵀ for a quantised matrix of the graph: its codes and scales. */
export function writeQuantizedProduct(
  file: OnnxFile,
  x: string,
  matrix: readonly string[],
  [rows, columns]: readonly [number, number],
  bits: 4 | 8,
  output: string,
): void {
  file.node("com.microsoft::MatMulNBits", [x, ...matrix], {
    attributes: { K: columns, N: rows, bits, block_size: BLOCK, accuracy_level: ACCURACY_INT8 },
    outputs: [output],
  });
}
