/**
 * Random texts and trees to try laws on.
 *
 * @module
 */

import type { LanguageModel } from "../../lib/engine/language_model.ts";
import type { TokenId } from "../../lib/models/token.ts";
import type { Random } from "../../lib/random.ts";

/** A whole number from `from` to `to`, both included. */
export function integer(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

/** A text of `from` to `to` tokens. */
export function randomText(
  random: Random,
  model: LanguageModel,
  from: number,
  to: number,
): TokenId[] {
  const length = integer(random, from, to);
  return Array.from({ length }, () => integer(random, 0, model.vocabularySize - 1));
}

/** Parents of a forest over `count` tokens. */
export function randomTree(random: Random, count: number): number[] {
  return Array.from({ length: count }, (_, i) => integer(random, -1, i - 1));
}

/** The indices from the root down to a node; none for −1. */
export function pathTo(node: number, parents: readonly number[]): number[] {
  return node < 0 ? [] : [...pathTo(parents[node]!, parents), node];
}
