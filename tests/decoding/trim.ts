/** Models that score only some tokens, made from models that score all. */

import type { LanguageModel } from "../../lib/engine/language_model.ts";
import { trimmedEvaluation } from "../../lib/engine/trimmed.ts";
import { softmax } from "../../lib/engine/softmax.ts";
import type { TokenId } from "../../lib/models/token.ts";
import { trimVocabulary } from "../../lib/models/trimmed_vocabulary.ts";
import { wrapModel } from "../engine/wrap.ts";

/** A model that scores some of another's tokens, as the other does. */
export function trim(model: LanguageModel, tokens: readonly TokenId[]): LanguageModel {
  const vocabulary = trimVocabulary(tokens, model.vocabularySize);
  return wrapModel(model, (inner) => {
    const whole = new WeakMap(); // a commit wants the evaluation that the context itself gave
    return {
      async evaluate(tokens, parents) {
        const evaluation = await inner.evaluate(tokens, parents);
        const logits = (index: number, row?: number): Float32Array => {
          const all = evaluation.logits(index, row);
          return Float32Array.from(vocabulary.tokens, (token) => all[token]!);
        };
        const trimmed = trimmedEvaluation(tokens, {
          vocabulary,
          logits,
          probabilities: (index, temperature, row) => softmax(logits(index, row), temperature),
        });
        whole.set(trimmed, evaluation);
        return trimmed;
      },
      commit: (evaluation, kept) => inner.commit(whole.get(evaluation), kept),
    };
  });
}
