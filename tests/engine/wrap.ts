/**
 * Models and contexts that do one thing differently, to spy on callers or to break laws.
 *
 * @module
 */

import type { Context, LanguageModel } from "../../lib/engine/language_model.ts";

/** What is done differently, given the context it is done to. */
export type Change = (inner: Context) => Partial<Omit<Context, "rows">>;

/** A context that does as `inner` does, but for the change. Its forks are changed alike. */
export function wrapContext(inner: Context, change: Change): Context {
  return {
    rows: inner.rows,
    length: (row) => inner.length(row),
    append: (tokens) => inner.append(tokens),
    evaluate: (tokens, parents) => inner.evaluate(tokens, parents),
    commit: (evaluation, kept) => inner.commit(evaluation, kept),
    truncate: (length, row) => inner.truncate(length, row),
    fork: () => wrapContext(inner.fork(), change),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    ...change(inner),
  };
}

/** A model whose contexts are changed. */
export function wrapModel(inner: LanguageModel, change: Change): LanguageModel {
  const { name, vocabularySize, contextLength } = inner;
  return {
    name,
    vocabularySize,
    contextLength,
    open: (rows) => wrapContext(inner.open(rows), change),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}
