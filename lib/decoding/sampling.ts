/**
 * From logits to a token: temperature, top-k, top-p, and the greedy branch beside them.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import type { Random } from "../random.ts";

/** Next-token probabilities, one for each vocabulary entry, summing to 1. */
export type Distribution = Float64Array;

/** How a token is chosen from logits. Applied to target and draft alike. */
export interface Sampling {
  /** 0 is greedy; 1 leaves the model's distribution as it is. Default 0. */
  readonly temperature?: number;
  /** Keep the k likeliest tokens (and ties with the last of them); 0 keeps all. Default 0. */
  readonly topK?: number;
  /** Keep the smallest set of likeliest tokens whose mass reaches p. Default 1: all. */
  readonly topP?: number;
}

/** Whether a choice is made by argmax alone, without randomness. */
export function isGreedy(sampling: Sampling): boolean {
  return (sampling.temperature ?? 0) === 0;
}

/** Throws a RangeError unless every value is in its range. */
export function requireSampling(sampling: Sampling): void {
  requireNumber("sample", "temperature", sampling.temperature ?? 0, 0);
  requireInteger("sample", "topK", sampling.topK ?? 0, 0);
  requireNumber("sample", "topP", sampling.topP ?? 1, Number.MIN_VALUE, 1);
}

/**
 * The likeliest token; the lowest id among equals.
 *
 * @param scores Logits or probabilities.
 * @returns Its id.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(argmax(Float32Array.of(0, 3, 3, 1)), 1);
 * ```
 */
export function argmax(scores: ArrayLike<number>): TokenId {
  let best = 0;
  let top = scores[0]!;
  for (let i = 1; i < scores.length; i++) {
    const score = scores[i]!;
    if (score > top) {
      top = score;
      best = i;
    }
  }
  return best;
}

/**
 * Probabilities after temperature, then top-k, then top-p, renormalised: the order that
 * Hugging Face transformers and vLLM use.
 *
 * @param logits Unnormalised natural log-probabilities.
 * @param sampling A temperature above 0, and cuts.
 * @returns Probabilities; tokens that were cut have 0.
 * @throws {RangeError} If a value is out of range, or the temperature is 0 (argmax has no distribution).
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const p = distribution(Float32Array.of(Math.log(3), 0, -Infinity), { temperature: 1 });
 * assertAlmostEquals(p[0]!, 0.75, 1e-7);
 * ```
 */
export function distribution(logits: ArrayLike<number>, sampling: Sampling): Distribution {
  requireSampling(sampling);
  const { temperature = 0, topK = 0, topP = 1 } = sampling;
  if (temperature === 0) {
    throw new RangeError("Cannot form a distribution as temperature is 0: take argmax instead");
  }
  const p = softmax(logits, temperature);
  if (topK > 0 && topK < p.length) keepTopK(p, topK);
  if (topP < 1) keepTopP(p, topP);
  return p;
}

/**
 * Draws a token by inverting the cumulative distribution.
 *
 * @param p Probabilities.
 * @param random The stream to draw from; one number is used.
 * @returns The token.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(sample(Float64Array.of(0.25, 0.75), () => 0.5), 1);
 * ```
 */
export function sample(p: Distribution, random: Random): TokenId {
  const u = random() * sum(p); // rounding may leave the sum a hair off 1
  let mass = 0;
  let last = 0;
  for (let i = 0; i < p.length; i++) {
    if (p[i] === 0) continue;
    last = i;
    mass += p[i]!;
    if (u < mass) return i;
  }
  return last;
}

function softmax(logits: ArrayLike<number>, temperature: number): Distribution {
  const top = logits[argmax(logits)]!;
  const p = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < p.length; i++) total += p[i] = Math.exp((logits[i]! - top) / temperature);
  return scale(p, 1 / total);
}

function keepTopK(p: Distribution, k: number): void {
  const threshold = Float64Array.from(p).sort()[p.length - k]!;
  for (let i = 0; i < p.length; i++) if (p[i]! < threshold) p[i] = 0;
  scale(p, 1 / sum(p));
}

function keepTopP(p: Distribution, topP: number): void {
  const candidates = Uint32Array.from(p.keys()).filter((i) => p[i]! > 0)
    .sort((a, b) => p[b]! - p[a]! || a - b);
  let mass = 0;
  let kept = 0;
  while (kept < candidates.length && mass < topP) mass += p[candidates[kept++]!]!;
  for (const i of candidates.subarray(kept)) p[i] = 0;
  scale(p, 1 / sum(p));
}

function scale(p: Distribution, factor: number): Distribution {
  for (let i = 0; i < p.length; i++) p[i]! *= factor;
  return p;
}

function sum(p: Distribution): number {
  let total = 0;
  for (let i = 0; i < p.length; i++) total += p[i]!;
  return total;
}
