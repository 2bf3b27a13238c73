/** Drafts that are right often, though not always. */

import {
  type Context,
  distribution,
  type Evaluation,
  type LanguageModel,
} from "@specbound/specbound";

/** A draft that leans on its target: its logits are the target's and some of another model's. */
export function leaning(
  target: LanguageModel,
  other: LanguageModel,
  weight: number,
): LanguageModel {
  const read = (left: Context, right: Context): Context => ({
    rows: 1,
    length: () => left.length(),
    async append(tokens) {
      await left.append(tokens);
      await right.append(tokens);
    },
    async evaluate(tokens) {
      const [a, b] = [await left.evaluate(tokens), await right.evaluate(tokens)];
      const logits = (index: number) => {
        const y = b.logits(index);
        return a.logits(index).map((x, i) => x + weight * y[i]!);
      };
      const probabilities = (index: number, temperature: number) =>
        distribution(logits(index), { temperature });
      const evaluation = { tokens, logits, probabilities };
      parts.set(evaluation, [a, b]);
      return evaluation;
    },
    commit(evaluation, kept) {
      const [a, b] = parts.get(evaluation)!;
      left.commit(a, kept);
      right.commit(b, kept);
    },
    truncate(length) {
      left.truncate(length);
      right.truncate(length);
    },
    fork: () => read(left.fork(), right.fork()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  const parts = new WeakMap<Evaluation, [Evaluation, Evaluation]>();
  return { ...target, open: () => read(target.open(), other.open()) };
}
