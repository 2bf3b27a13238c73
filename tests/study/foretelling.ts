/** A head in small: a draft that is worse where it reads what its target has not read yet. */

import type { Context, Evaluation, LanguageModel } from "@specbound/specbound";

/**
 * What opens contexts of a head that follow one of its target.
 *
 * @param knowing What it says after tokens of the text.
 * @param guessing What it says after those that it drafted.
 */
export function foretelling(
  knowing: LanguageModel,
  guessing: LanguageModel,
): (target: Context) => Context {
  const parts = new WeakMap<Evaluation, readonly [Evaluation, Evaluation]>();
  return (target) => {
    const [near, far] = [knowing.open(), guessing.open()];
    return {
      rows: 1,
      length: () => near.length(),
      async append(tokens) {
        await near.append(tokens);
        await far.append(tokens);
      },
      async evaluate(tokens) {
        const both = [await near.evaluate(tokens), await far.evaluate(tokens)] as const;
        const from = near.length();
        const at = (index: number) => both[from + index <= target.length() ? 0 : 1];
        const evaluation: Evaluation = {
          tokens,
          logits: (index) => at(index).logits(index),
          probabilities: (index, temperature) => at(index).probabilities(index, temperature),
        };
        parts.set(evaluation, both);
        return evaluation;
      },
      commit(evaluation, kept) {
        const [known, guessed] = parts.get(evaluation)!;
        near.commit(known, kept);
        far.commit(guessed, kept);
      },
      truncate(length) {
        near.truncate(length);
        far.truncate(length);
      },
      fork() {
        throw new Error("Cannot fork a head as the copy would follow the same context");
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  };
}
