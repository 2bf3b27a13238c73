/** Two contexts driven as one, of which tests make models. */

import type { Context, Evaluation } from "@specbound/specbound";

/** What a model says, given what two others say of the same tokens. */
export type Join = (
  first: Evaluation,
  second: Evaluation,
) => Pick<Evaluation, "logits" | "probabilities">;

/** A context of a model that says what `join` makes of two others. */
export function inStep(first: Context, second: Context, join: Join): Context {
  const parts = new WeakMap<Evaluation, readonly [Evaluation, Evaluation]>();
  return {
    rows: 1,
    length: () => first.length(),
    async append(tokens) {
      await first.append(tokens);
      await second.append(tokens);
    },
    async evaluate(tokens) {
      const both = [await first.evaluate(tokens), await second.evaluate(tokens)] as const;
      const evaluation = { tokens, ...join(...both) };
      parts.set(evaluation, both);
      return evaluation;
    },
    commit(evaluation, kept) {
      const [a, b] = parts.get(evaluation)!;
      first.commit(a, kept);
      second.commit(b, kept);
    },
    truncate(length) {
      first.truncate(length);
      second.truncate(length);
    },
    fork: () => inStep(first.fork(), second.fork(), join),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
