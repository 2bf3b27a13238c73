/**
 * The rotary embedding: the angles by which queries and keys turn with their positions.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import type { OnnxFile } from "./onnx_file.ts";

/** Bytes up to which a table may repeat its columns for every head of a group. */
export const REPEATED_BYTES = 2 ** 24;

/** Cosines and sines, by their names in the graph. */
export interface RotaryTable {
  /** The cosines. */
  readonly cos: string;
  /** The sines. */
  readonly sin: string;
}

/** Heads that lie side by side in a row. */
export interface RotaryHeads {
  /** Heads that turn, which come first. */
  readonly turning: number;
  /** Heads that do not. */
  readonly still: number;
}

/**
 * The radians by which each rotary pair of a head turns from one position to the next.
 *
 * @param architecture Base, scale and head size.
 * @param factors A divisor for each pair, if the file has them.
 * @returns Radians, the fastest pair's first.
 * @throws {RangeError} If a factor is no positive number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const architecture = { headSize: 4, ropeBase: 100, ropeScale: 2 };
 * assertEquals(rotaryFrequencies(architecture), [0.5, 0.05]);
 * assertEquals(rotaryFrequencies(architecture, Float32Array.of(1, 5)), [0.5, 0.01]);
 * ```
 */
export function rotaryFrequencies(
  { headSize, ropeBase, ropeScale }: Pick<Architecture, "headSize" | "ropeBase" | "ropeScale">,
  factors?: Float32Array,
): number[] {
  return Array.from({ length: headSize / 2 }, (_, pair) => {
    const factor = factors?.[pair] ?? 1;
    if (!(factor > 0 && Number.isFinite(factor))) {
      throw new RangeError(
        `Cannot build the graph as factor ${pair} of rope_freqs.weight is ${factor}: convert the model anew`,
      );
    }
    return ropeBase ** (-2 * pair / headSize) / ropeScale / factor;
  });
}

/**
 * Writes the table of all positions, with columns for heads side by side.
 *
 * @param file The graph.
 * @param positions Rows of the table.
 * @param frequencies What {@linkcode rotaryFrequencies} gives.
 * @param columns Columns whose pairs turn, and columns whose pairs do not.
 * @returns The table.
 */
export function writeRotaryTable(
  file: OnnxFile,
  positions: number,
  frequencies: readonly number[],
  columns: { readonly turning: number; readonly still: number },
): RotaryTable {
  const width = columns.turning + columns.still;
  const cos = new Float32Array(positions * width).fill(1);
  const sin = new Float32Array(positions * width);
  for (const [pair, frequency] of frequencies.entries()) {
    for (let position = 0; position < positions; position++) {
      const [c, s] = [Math.cos(position * frequency), Math.sin(position * frequency)];
      for (let column = pair; column < columns.turning; column += frequencies.length) {
        cos[position * width + column] = c;
        sin[position * width + column] = s;
      }
    }
  }
  const dims = [positions, width];
  return {
    cos: file.weight("rotary.cos", "float32", dims, cos),
    sin: file.weight("rotary.sin", "float32", dims, sin),
  };
}

/**
 * Writes what turns groups of heads, each group as if it were one wide head. Where a table of such
 * wide rows would be large, as for long contexts, it has the columns of one head, and the rows that
 * a pass needs are gathered and repeated once for all layers.
 *
 * @param file The graph; it must have the input `positions`.
 * @param architecture Sizes.
 * @param frequencies What {@linkcode rotaryFrequencies} gives.
 * @param heads Heads of a group.
 * @returns What turns [B, S, groups · d] or [B, groups, S, d], `d` being the width of a group.
 */
export function openRotation(
  file: OnnxFile,
  { contextLength, keyValueHeads }: Architecture,
  frequencies: readonly number[],
  heads: RotaryHeads,
): (x: string) => string {
  const half = frequencies.length;
  const columns = { turning: heads.turning * half, still: heads.still * half };
  if (8 * contextLength * (columns.turning + columns.still) <= REPEATED_BYTES) {
    const { cos, sin } = writeRotaryTable(file, contextLength, frequencies, columns);
    return (x) =>
      file.node("com.microsoft::RotaryEmbedding", [x, "positions", cos, sin], {
        attributes: { interleaved: 1 },
      });
  }
  // One column for all that stays still.
  const table = writeRotaryTable(file, contextLength, frequencies, { turning: half, still: 1 });
  const repeated = file.integers([
    ...Array.from({ length: columns.turning }, (_, column) => column % half),
    ...new Array<number>(columns.still).fill(half),
  ]);
  const [cos, sin] = [table.cos, table.sin].map((side) =>
    file.node("Gather", [file.node("Gather", [side, "positions"]), repeated], {
      attributes: { axis: 2 },
    })
  );
  return (x) =>
    file.node("RotaryEmbedding", [x, cos!, sin!], {
      attributes: { interleaved: 1, num_heads: keyValueHeads },
    });
}
