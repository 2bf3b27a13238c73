/**
 * An n-gram model that learns from the text it drafts for.
 *
 * @module
 */

import type { TokenId } from "../../models/token.ts";
import { requireNumber } from "../../validate.ts";
import type { Drafter } from "./drafter.ts";
import { NgramTable, NOWHERE } from "./ngram_table.ts";

/** Settings of an online n-gram drafter. */
export interface OnlineNgramOptions {
  /**
   * A table that outlives the generation: drafters that share one learn from each other's texts,
   * side by side or one after another. Default: one of its own, cleared at every prompt.
   */
  readonly table?: NgramTable;
  /**
   * Drafting ends where the chance that all of the draft stands falls below this. Default 0.3; less
   * pays where a wider pass costs little.
   */
  readonly threshold?: number;
}

/**
 * Drafts by counts of what followed the text's last tokens before, in prompt and output alike, and
 * learns every token that is emitted. The draft goes on while it is likely to stand, so its length
 * adapts to how often, and after how long a context, its tokens were seen (SuffixDecoding, Oliaro
 * et al. 2024; llama.cpp's n-gram cache). Tokens are chosen, not drawn.
 *
 * Until the next `begin`, text only grows, or is cut back to a beginning of itself.
 *
 * Runs that sample and share a table need different seeds: a draft learnt from a run of the same
 * seed would know the acceptance draws before they are made.
 *
 * @param options Shared table, threshold.
 * @returns The drafter.
 * @throws {RangeError} If the threshold is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stream } from "@specbound/specbound";
 * const request = { limit: 3, sampling: {}, random: stream(1, "draft") };
 * const { tokens } = await onlineNgram().propose([7, 8, 9, 4, 7, 8, 9], request);
 * assertEquals(tokens, [4, 7, 8]);
 * ```
 */
export function onlineNgram(options: OnlineNgramOptions = {}): Drafter {
  const { table = new NgramTable(), threshold = 0.3 } = options;
  requireNumber("draft", "threshold", threshold, 0, 1);
  let length = 0;
  let newest = NOWHERE;
  const follow = (text: readonly TokenId[]) => {
    for (; length > text.length; length--) newest = table.forget(newest);
    for (; length < text.length; length++) newest = table.learn(text[length]!, newest);
  };
  return {
    name: `online n-gram ${table.order}`,
    begin(prompt) {
      if (table !== options.table) table.clear();
      length = 0;
      newest = NOWHERE;
      follow(prompt);
      return Promise.resolve();
    },
    propose(text, { limit, proceed }) {
      follow(text);
      const context = text.slice(-table.order);
      const tokens: TokenId[] = [];
      let survival = 1;
      while (tokens.length < limit) {
        const next = table.predict(context);
        if (!next) break;
        survival *= next.confidence;
        if (survival < threshold) break;
        tokens.push(next.token);
        context.push(next.token);
        if (tokens.length < limit && proceed && !proceed(next.confidence, tokens.length)) break;
      }
      return Promise.resolve({ tokens });
    },
    observe: (_round, text) => follow(text),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
