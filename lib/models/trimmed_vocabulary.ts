/**
 * A part of a vocabulary: the only tokens that a model scores.
 *
 * @module
 */

import { requireInteger } from "../validate.ts";
import type { TokenId } from "./token.ts";

/** The tokens that a model scores, of all that it reads. */
export interface TrimmedVocabulary {
  /** The tokens, ascending. */
  readonly tokens: readonly TokenId[];
  /** Entries of the whole vocabulary. */
  readonly size: number;
}

/**
 * Trims a vocabulary. A draft that scores only the most frequent tokens has a smaller output head,
 * which is most of what a small draft costs (FR-Spec, Zhao et al. 2025, §3).
 *
 * @param tokens The tokens to keep, in any order.
 * @param size Entries of the whole vocabulary.
 * @returns The trimmed vocabulary.
 * @throws {RangeError} If there is none, one is not in the vocabulary, or one is there twice.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(trimVocabulary([7, 2, 5], 10), { tokens: [2, 5, 7], size: 10 });
 * ```
 */
export function trimVocabulary(tokens: Iterable<TokenId>, size: number): TrimmedVocabulary {
  const sorted = [...tokens].sort((a, b) => a - b);
  requireInteger("trim a vocabulary", "the number of tokens", sorted.length, 1);
  sorted.forEach((token, i) => {
    requireInteger("trim a vocabulary", "a token", token, 0, size - 1);
    if (token !== sorted[i - 1]) return;
    throw new RangeError(`Cannot trim a vocabulary as token ${token} is given twice: give it once`);
  });
  return { tokens: sorted, size };
}

/**
 * Scores of the whole vocabulary from those of a trimmed one.
 *
 * @param scores One for each token that is scored.
 * @param vocabulary Which tokens these are.
 * @param rest What every other token has: −∞ as a logit, 0 as a probability.
 * @returns A new array.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const vocabulary = trimVocabulary([1, 3], 4);
 * assertEquals(widen(Float32Array.of(0.25, 0.75), vocabulary, 0), Float32Array.of(0, 0.25, 0, 0.75));
 * ```
 */
export function widen<T extends Float32Array | Float64Array>(
  scores: T,
  { tokens, size }: TrimmedVocabulary,
  rest: number,
): T {
  const all = scores instanceof Float32Array ? new Float32Array(size) : new Float64Array(size);
  if (rest !== 0) all.fill(rest);
  for (let i = 0; i < tokens.length; i++) all[tokens[i]!] = scores[i]!;
  return all as T;
}
