/**
 * How a draft model's scores become drafted tokens.
 *
 * @module
 */

import type { Evaluation } from "../../engine/language_model.ts";
import type { TokenId } from "../../models/token.ts";
import { widen } from "../../models/trimmed_vocabulary.ts";
import type { Random } from "../../random.ts";
import { argmax, cut, type Distribution, likeliest, sample, type Sampling } from "../sampling.ts";

/** Tokens that may come next, as a draft model chooses them. */
export interface Choices {
  /** The tokens: the likeliest, best first, or drawn independently, so that equal ones occur. */
  readonly tokens: readonly TokenId[];
  /** What they were drawn from, over the whole vocabulary; null if they were not drawn. */
  readonly distribution: Distribution | null;
  /** The drafter's probability of the token at an index. */
  confidence(index: number): number;
}

/**
 * Chooses what may follow a token: greedy runs take the likeliest, sampling runs draw. Where the
 * draft's vocabulary is trimmed, all is done over the tokens that it scores; the rest have
 * probability 0, are never drafted, and are left to the residual of verification.
 *
 * @param evaluation A draft model's pass.
 * @param index Which of its tokens is to be followed.
 * @param count How many to choose.
 * @param sampling How the target samples.
 * @param random The stream to draw from; greedy draws nothing.
 * @returns The choices.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const evaluation = await tableModel({ vocabularySize: 5, seed: 1 }).open().evaluate([[2]]);
 * const { tokens, distribution } = choose(evaluation, 0, 2, {}, Math.random);
 * assertEquals([tokens.length, distribution], [2, null]);
 * ```
 */
export function choose(
  evaluation: Evaluation,
  index: number,
  count: number,
  sampling: Sampling,
  random: Random,
): Choices {
  const { trimmed } = evaluation;
  const scores = trimmed ?? evaluation;
  const { temperature = 0 } = sampling;
  const q = temperature === 0 ? null : cut(scores.probabilities(index, temperature), sampling);
  const chosen = q
    ? Array.from({ length: count }, () => sample(q, random))
    : best(scores.logits(index), count);
  return {
    tokens: trimmed ? chosen.map((entry) => trimmed.vocabulary.tokens[entry]!) : chosen,
    distribution: q && trimmed ? widen(q, trimmed.vocabulary, 0) : q,
    confidence: (i) => (q ?? scores.probabilities(index, 1))[chosen[i]!]!,
  };
}

function best(logits: Float32Array, count: number): number[] {
  return count === 1 ? [argmax(logits)] : likeliest(logits, count); // one needs no list
}
