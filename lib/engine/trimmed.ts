/**
 * Evaluations by models that score only part of their vocabulary.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import { type TrimmedVocabulary, widen } from "../models/trimmed_vocabulary.ts";
import type { Evaluation, TokenScores } from "./language_model.ts";

/** The scores of a model with a trimmed vocabulary: entry `i` is of `vocabulary.tokens[i]`. */
export interface TrimmedScores extends TokenScores {
  /** Which tokens are scored. */
  readonly vocabulary: TrimmedVocabulary;
}

/**
 * An evaluation whose scores are of the whole vocabulary, as the seam wants them: tokens that the
 * model does not score have a logit of −∞ and a probability of 0. Who can do with fewer finds them
 * under `trimmed`, and saves time that grows with the vocabulary.
 *
 * @param tokens The tokens that were evaluated.
 * @param trimmed What the model found.
 * @returns The evaluation.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const vocabulary = { tokens: [0, 2], size: 3 };
 * const evaluation = trimmedEvaluation([[2]], {
 *   vocabulary,
 *   logits: () => Float32Array.of(5, 6),
 *   probabilities: () => Float32Array.of(0.25, 0.75),
 * });
 * assertEquals(evaluation.logits(0), Float32Array.of(5, -Infinity, 6));
 * assertEquals(evaluation.probabilities(0, 1), Float32Array.of(0.25, 0, 0.75));
 * ```
 */
export function trimmedEvaluation(
  tokens: readonly (readonly TokenId[])[],
  trimmed: TrimmedScores,
): Evaluation {
  const { vocabulary } = trimmed;
  return {
    tokens,
    trimmed,
    logits: (index, row) => widen(trimmed.logits(index, row), vocabulary, -Infinity),
    probabilities: (index, temperature, row) =>
      widen(trimmed.probabilities(index, temperature, row), vocabulary, 0),
  };
}
