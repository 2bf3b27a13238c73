/**
 * A model that drafts several continuations at once.
 *
 * @module
 */

import type { Context, LanguageModel } from "../../engine/language_model.ts";
import type { TokenId } from "../../models/token.ts";
import { requireInteger } from "../../validate.ts";
import type { Distribution } from "../sampling.ts";
import { choose } from "./choices.ts";
import type { Drafter } from "./drafter.ts";
import { openReader } from "./reader.ts";

/** Settings of a tree drafter. */
export interface TreeOptions {
  /** Children of each node, level by level: `[3, 2]` drafts 3 tokens, and 2 after each of them. */
  readonly widths: readonly number[];
}

/**
 * Drafts a token tree, level by level (SpecInfer, Miao et al. 2024): where the target leaves the
 * likeliest continuation, another branch may stand. Greedy runs branch into the likeliest tokens;
 * sampling runs draw each child independently, so equal siblings occur, and verification needs
 * them. One pass a level; nothing drafted is ever committed.
 *
 * `proceed` is asked of every token that may have children; false ends its branch.
 *
 * @param model The draft model, or a context of it that holds a prefix of the prompt. A context
 *   that the drafter opened itself is closed with the drafter.
 * @param options The tree's shape.
 * @returns The drafter.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stream, tableModel } from "@specbound/specbound";
 * const drafter = treeDrafter(tableModel({ vocabularySize: 5, seed: 1 }), { widths: [2, 1] });
 * const request = { limit: 4, sampling: {}, random: stream(1, "draft") };
 * assertEquals((await drafter.propose([0, 1], request)).parents, [-1, -1, 0, 1]);
 * ```
 */
export function treeDrafter(model: LanguageModel | Context, options: TreeOptions): Drafter {
  const { widths } = options;
  requireInteger("draft", "widths.length", widths.length, 1);
  for (const width of widths) requireInteger("draft", "widths", width, 1);
  const { context, catchUp, ...reader } = openReader(model);
  return {
    ...reader,
    name: `${reader.name} tree ${widths.join("-")}`,
    async propose(text, { limit, sampling, random, proceed }) {
      const tokens: TokenId[] = [];
      const parents: number[] = [];
      const distributions: Distribution[] = [];
      const unread = await catchUp(text);
      let growing = [-1];
      const levels = widths.slice(0, limit);
      for (const [level, width] of levels.entries()) {
        const evaluation = level === 0
          ? await context.evaluate([unread])
          : await context.evaluate([[...tokens]], [[...parents]]);
        const grown: number[] = [];
        for (const parent of growing) {
          const at = level === 0 ? unread.length - 1 : parent;
          const chosen = choose(evaluation, at, width, sampling, random);
          for (const [i, token] of chosen.tokens.entries()) {
            // Of equal siblings only the first can stand, so the others need no children.
            const parental = level + 1 < levels.length && chosen.tokens.indexOf(token) === i;
            if (parental && (proceed?.(chosen.confidence(i), level + 1) ?? true)) {
              grown.push(tokens.length);
            }
            tokens.push(token);
            parents.push(parent);
            if (chosen.distribution) distributions.push(chosen.distribution);
          }
        }
        if (level === 0) context.commit(evaluation, [unread.length]);
        if (grown.length === 0) break;
        growing = grown;
      }
      return { tokens, parents, ...(distributions.length > 0 && { distributions }) };
    },
  };
}
