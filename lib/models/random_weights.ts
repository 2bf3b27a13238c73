/**
 * Random weights of any shape, for timing.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { stream } from "../random.ts";
import type { Architecture } from "./architecture.ts";
import type { WeightSource } from "./graph.ts";
import { expectedShapes } from "./tensor_shapes.ts";

/** The standard deviation that these families are initialised with (initializer_range). */
const DEVIATION = 0.02;
/** Numbers drawn. Tensors repeat them: a prime, so that rows and blocks of two differ. */
const DRAWN = 1_048_573;
const SEED = 1;

/**
 * Llama 3's scaling of the rotary embedding, by each model's published rope_scaling; `old` is
 * original_max_position_embeddings. Llama 3.1 has factor 8, Llama 3.2, whose heads are tied, 32.
 */
const LLAMA3 = { low: 1, high: 4, old: 8192, factor: { tied: 32, apart: 8 } };

/**
 * Random weights: matrices normal of standard deviation 0.02, norms 1, biases 0. They keep every
 * activation finite and of an ordinary size, so that a pass costs what it costs with real weights.
 *
 * @param architecture The network's shape.
 * @returns The weights, and a hash that tells them from all others. The same on every machine.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findShape } from "./shapes.ts";
 * const { weights } = randomWeights(findShape("shape:smollm2-135m").architecture);
 * assertEquals(weights.readFloats("output_norm.weight")[0], 1);
 * assertEquals(
 *   weights.readFloats("token_embd.weight", 1, 2),
 *   weights.readFloats("token_embd.weight", 0, 2).subarray(576),
 * );
 * ```
 */
export function randomWeights(
  architecture: Architecture,
): { readonly weights: WeightSource; readonly sha256: string } {
  const shapes = expectedShapes(architecture);
  let drawn: Float32Array | undefined;
  const weights: WeightSource = {
    readFloats(name, from = 0, to) {
      if (name === "rope_freqs.weight") return llama3Factors(architecture);
      const shape = shapes.get(name)!;
      if (shape.length === 1) {
        return new Float32Array(shape[0]!).fill(name.endsWith("norm.weight") ? 1 : 0);
      }
      const [rows, columns] = shape as [number, number];
      const values = new Float32Array(((to ?? rows) - from) * columns);
      drawn ??= drawNormal(DRAWN, DEVIATION);
      repeat(drawn, startOf(name) + from * columns, values);
      return values;
    },
  };
  const recipe = JSON.stringify(["random weights", SEED, DEVIATION, DRAWN, architecture]);
  return { weights, sha256: createHash("sha256").update(recipe).digest("hex") };
}

/** Fills `values` with the endless repetition of `drawn`, from its element `start` on. */
function repeat(drawn: Float32Array, start: number, values: Float32Array): void {
  for (let at = 0; at < values.length;) {
    const piece = drawn.subarray((start + at) % drawn.length);
    values.set(piece.subarray(0, values.length - at), at);
    at += piece.length;
  }
}

/** Where a tensor begins in the drawn numbers: elsewhere for each. */
function startOf(name: string): number {
  return Math.floor(stream(SEED, name)() * DRAWN);
}

/** Normal numbers (Box and Muller 1958). */
function drawNormal(count: number, deviation: number): Float32Array {
  const random = stream(SEED, "random weights");
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return deviation * radius * Math.cos(2 * Math.PI * random());
  });
}

/**
 * Divisors of the rotary frequencies: none for short waves, all of the factor for long ones, and a
 * smooth passage between (Llama 3.1's reference code, `apply_scaling`).
 */
function llama3Factors({ headSize, ropeBase, tiedHead }: Architecture): Float32Array {
  const { low, high, old } = LLAMA3;
  const factor = tiedHead ? LLAMA3.factor.tied : LLAMA3.factor.apart;
  return Float32Array.from({ length: headSize / 2 }, (_, pair) => {
    const waves = old / (2 * Math.PI * ropeBase ** (2 * pair / headSize));
    const passage = Math.min(1, Math.max(0, (waves - low) / (high - low)));
    return 1 / ((1 - passage) / factor + passage);
  });
}
