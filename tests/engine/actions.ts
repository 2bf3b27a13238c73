/**
 * What may be done to a context, with the text that it should hold after it.
 *
 * @module
 */

import type { Context, LanguageModel } from "../../lib/engine/language_model.ts";
import type { TokenId } from "../../lib/models/token.ts";
import type { Random } from "../../lib/random.ts";
import { integer, pathTo, randomText, randomTree } from "./texts.ts";

/** A context and what it should hold. */
export interface Fork {
  readonly context: Context;
  readonly texts: TokenId[][];
}

/** Does something to a context, and gives a new one if it made one. */
export type Action = (fork: Fork, random: Random, model: LanguageModel) => Promise<Fork | void>;

/** What may be done to a context; each keeps `texts` in step. */
export const actions: readonly Action[] = [
  async function append({ context, texts }, random, model) {
    const tokens = texts.map(() => randomText(random, model, 0, 5));
    await context.append(tokens);
    tokens.forEach((list, row) => texts[row] = [...texts[row]!, ...list]);
  },

  async function commitPrefixes({ context, texts }, random, model) {
    const tokens = texts.map(() => randomText(random, model, 0, 5));
    const evaluation = await context.evaluate(tokens);
    const kept = tokens.map((list) => integer(random, 0, list.length));
    context.commit(evaluation, kept);
    kept.forEach((count, row) => texts[row] = [...texts[row]!, ...tokens[row]!.slice(0, count)]);
  },

  async function commitPaths({ context, texts }, random, model) {
    const tokens = texts.map(() => randomText(random, model, 1, 8));
    const forest = tokens.map((list) => randomTree(random, list.length));
    const evaluation = await context.evaluate(tokens, forest);
    const paths = forest.map((tree) => pathTo(integer(random, -1, tree.length - 1), tree));
    context.commit(evaluation, paths);
    paths.forEach((path, row) => {
      texts[row] = [...texts[row]!, ...path.map((index) => tokens[row]![index]!)];
    });
  },

  async function evaluateOnly({ context, texts }, random, model) {
    await context.evaluate(texts.map(() => randomText(random, model, 0, 8)));
  },

  function truncate({ context, texts }, random) {
    const row = integer(random, 0, texts.length - 1);
    const length = integer(random, 0, texts[row]!.length);
    context.truncate(length, row);
    texts[row] = texts[row]!.slice(0, length);
    return Promise.resolve();
  },

  function fork({ context, texts }) {
    return Promise.resolve({ context: context.fork(), texts: [...texts] });
  },
];
