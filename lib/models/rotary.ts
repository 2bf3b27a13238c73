/**
 * The rotary embedding: the angles by which queries and keys turn with their positions.
 *
 * @module
 */

import type { Architecture } from "./architecture.ts";
import type { OnnxFile } from "./onnx_file.ts";

/** Cosines and sines, by their names in the graph. */
export interface RotaryTable {
  /** The cosines. */
  readonly cos: string;
  /** The sines. */
  readonly sin: string;
}

/** Heads that lie side by side and turn as one wide head. */
export interface RotaryHeads {
  /** Heads that turn, which come first. */
  readonly heads: number;
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
 * Writes the table of all positions, a column for each rotary pair of a head.
 *
 * @param file The graph.
 * @param positions Rows of the table.
 * @param frequencies What {@linkcode rotaryFrequencies} gives.
 * @returns The table.
 */
export function writeRotaryTable(
  file: OnnxFile,
  positions: number,
  frequencies: readonly number[],
): RotaryTable {
  const pairs = frequencies.length;
  const write = (name: string, side: (angle: number) => number): string =>
    file.vector(name, [positions, pairs], () => {
      const table = new Float32Array(positions * pairs);
      for (let i = 0; i < table.length; i++) {
        table[i] = side(Math.floor(i / pairs) * frequencies[i % pairs]!);
      }
      return table;
    });
  return { cos: write("rotary.cos", Math.cos), sin: write("rotary.sin", Math.sin) };
}

/**
 * Writes what turns heads. The rows of the table that a pass needs are gathered once for all layers,
 * and repeated for heads that turn as one.
 *
 * @param file The graph; its input `positions` is declared here.
 * @param architecture Sizes.
 * @param frequencies What {@linkcode rotaryFrequencies} gives.
 * @param columns Heads that turn as one wide head. A single one turns [B, n, S, d], several turn
 *   [B, S, n · d].
 * @returns What turns them.
 */
export function openRotation(
  file: OnnxFile,
  { contextLength }: Architecture,
  frequencies: readonly number[],
  { heads, still }: RotaryHeads,
): (x: string) => string {
  const positions = file.input("positions", "int64", ["B", "S"]);
  const { cos, sin } = writeRotaryTable(file, contextLength, frequencies);
  const gather = (table: string, ofStill: string): string => {
    const rows = file.node("Gather", [table, positions]);
    if (heads === 1) return rows;
    const wide = file.node("Concat", new Array<string>(heads).fill(rows), {
      attributes: { axis: -1 },
    });
    const padding = file.integers([0, 0, 0, 0, 0, still * frequencies.length]);
    return file.node("Pad", [wide, padding, ofStill]);
  };
  const turns = [gather(cos, file.scalar(1)), gather(sin, file.scalar(0))];
  const attributes = { interleaved: 1, ...(heads > 1 && { num_heads: 1 }) };
  return (x) => file.node("RotaryEmbedding", [x, ...turns], { attributes });
}
