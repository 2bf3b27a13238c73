/**
 * Matrices that are read a few rows at a time, so that no large one is ever in memory as a whole.
 *
 * @module
 */

/** A matrix of weights. */
export interface Matrix {
  /** Its rows. */
  readonly rows: number;
  /** The length of a row. */
  readonly columns: number;
  /** Its values, row by row, in pieces of whole rows. */
  pieces(): Iterable<Float32Array>;
}

/** Weights that a piece has at most, unless one `unit` of rows has more. */
const PIECE = 2 ** 22;

/**
 * A matrix that is read in pieces.
 *
 * @param shape Rows and columns, and how many rows must stay together, by default 1.
 * @param read Reads rows `from` up to, not including, `to`.
 * @returns The matrix.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const shape = { rows: 3, columns: 2 ** 21 };
 * const matrix = matrixOf(shape, (from, to) => new Float32Array((to - from) * 2 ** 21));
 * assertEquals([...matrix.pieces()].map(({ length }) => length / 2 ** 21), [2, 1]);
 * ```
 */
export function matrixOf(
  shape: { readonly rows: number; readonly columns: number; readonly unit?: number },
  read: (from: number, to: number) => Float32Array,
): Matrix {
  const { rows, columns, unit = 1 } = shape;
  const step = Math.max(unit, Math.floor(PIECE / columns / unit) * unit);
  return {
    rows,
    columns,
    *pieces() {
      for (let from = 0; from < rows; from += step) yield read(from, Math.min(rows, from + step));
    },
  };
}

/**
 * Matrices of as many columns, one below the other.
 *
 * @param parts The matrices, from the top.
 * @returns One matrix.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const row = (value: number) =>
 *   matrixOf({ rows: 1, columns: 2 }, () => new Float32Array(2).fill(value));
 * const { rows, pieces } = stack([row(1), row(2)]);
 * assertEquals([rows, [...pieces()]], [2, [Float32Array.of(1, 1), Float32Array.of(2, 2)]]);
 * ```
 */
export function stack(parts: readonly Matrix[]): Matrix {
  return {
    rows: parts.reduce((total, { rows }) => total + rows, 0),
    columns: parts[0]!.columns,
    *pieces() {
      for (const part of parts) yield* part.pieces();
    },
  };
}
