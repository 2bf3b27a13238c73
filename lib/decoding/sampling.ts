/**
 * From logits to a token: temperature, top-k, top-p, and the greedy branch beside them.
 *
 * @module
 */

import { type Distribution, softmax } from "../engine/softmax.ts";
import type { TokenId } from "../models/token.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import type { Random } from "../random.ts";

export type { Distribution };

/** How a token is chosen from logits. Applied to target and draft alike. */
export interface Sampling {
  /** 0 is greedy; 1 leaves the model's distribution as it is. Default 0. */
  readonly temperature?: number;
  /** Keep the k likeliest tokens (and ties with the last of them); 0 keeps all. Default 0. */
  readonly topK?: number;
  /** Keep the smallest set of likeliest tokens whose mass reaches p. Default 1: all. */
  readonly topP?: number;
}

/**
 * Throws unless every value is in its range.
 *
 * @param sampling How a token is chosen.
 * @throws {RangeError} If a value is out of range.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => requireSampling({ temperature: -1 }), RangeError, "temperature");
 * ```
 */
export function requireSampling(sampling: Sampling): void {
  requireNumber("sample", "temperature", sampling.temperature ?? 0, 0);
  requireInteger("sample", "topK", sampling.topK ?? 0, 0);
  const { topP = 1 } = sampling;
  if (!(topP > 0 && topP <= 1)) {
    throw new RangeError(
      `Cannot sample as topP must be above 0 and at most 1: current value is ${topP}`,
    );
  }
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
  const { length } = scores;
  let best = 0;
  let top = scores[0]!;
  let i = 1;
  while (i < length) {
    // A vocabulary is long and a new best is rare: eight scores at a time take half as long.
    if (i + 8 <= length && !anyAbove(scores, i, top)) {
      i += 8;
      continue;
    }
    if (scores[i]! > top) {
      top = scores[i]!;
      best = i;
    }
    i++;
  }
  return best;
}

/** Whether one of the eight scores from `i` on is above `top`. */
function anyAbove(scores: ArrayLike<number>, i: number, top: number): boolean {
  return scores[i]! > top || scores[i + 1]! > top || scores[i + 2]! > top ||
    scores[i + 3]! > top || scores[i + 4]! > top || scores[i + 5]! > top ||
    scores[i + 6]! > top || scores[i + 7]! > top;
}

/**
 * The `count` likeliest tokens, best first; the lowest ids among equals.
 *
 * @param scores Logits or probabilities.
 * @param count How many; all if there are fewer.
 * @returns Their ids.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(likeliest(Float32Array.of(0, 3, 2, 3), 3), [1, 3, 2]);
 * ```
 */
export function likeliest(scores: ArrayLike<number>, count: number): TokenId[] {
  const best: TokenId[] = [];
  for (let token = 0; token < scores.length; token++) {
    let rank = best.length;
    while (rank > 0 && scores[best[rank - 1]!]! < scores[token]!) rank--;
    if (rank === count) continue;
    best.splice(rank, 0, token);
    if (best.length > count) best.pop();
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
  const { temperature = 0 } = sampling;
  if (temperature === 0) {
    throw new RangeError("Cannot form a distribution as temperature is 0: take argmax instead");
  }
  return cut(softmax(logits, temperature), sampling);
}

/**
 * Keeps the top k, then the top p, and renormalises.
 *
 * @param p Probabilities after temperature; changed in place.
 * @param sampling The cuts.
 * @returns Probabilities; tokens that were cut have 0.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([...cut(Float64Array.of(0.5, 0.25, 0.25), { topK: 1 })], [1, 0, 0]);
 * ```
 */
export function cut(p: Distribution, { topK = 0, topP = 1 }: Sampling): Distribution {
  const kept = topK > 0 && topK < p.length ? keepTopK(p, topK) : p;
  return topP < 1 ? keepTopP(kept, topP) : kept;
}

/**
 * The probability of one token at temperature 1.
 *
 * @param logits Unnormalised natural log-probabilities.
 * @param token The token.
 * @returns Its softmax probability.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(probabilityOf(Float32Array.of(Math.log(3), 0), 0), 0.75, 1e-7);
 * ```
 */
export function probabilityOf(logits: ArrayLike<number>, token: TokenId): number {
  const score = logits[token]!;
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i]! - score);
  return 1 / total;
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

function keepTopK(p: Distribution, k: number): Distribution {
  const least = p[likeliest(p, k).at(-1)!]!;
  for (let i = 0; i < p.length; i++) if (p[i]! < least) p[i] = 0;
  return scale(p, 1 / sum(p));
}

function keepTopP(p: Distribution, topP: number): Distribution {
  // All tokens rarer than this weigh less than 1 − topP, so the set is among the others: some
  // hundreds to sort, not a vocabulary. The 2 keeps rounding from mattering.
  const rare = (1 - topP) / (2 * p.length);
  const candidates: TokenId[] = [];
  for (let i = 0; i < p.length; i++) if (p[i]! > rare) candidates.push(i);
  candidates.sort((a, b) => p[b]! - p[a]! || a - b);
  const kept = new Float64Array(p.length);
  let mass = 0;
  for (const i of candidates) {
    if (mass >= topP) break;
    mass += kept[i] = p[i]!;
  }
  return scale(kept, 1 / mass);
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
