/**
 * A model that drafts.
 *
 * @module
 */

import type { Context, LanguageModel } from "../../engine/language_model.ts";
import type { TokenId } from "../../models/token.ts";
import type { Distribution } from "../sampling.ts";
import { choose } from "./choices.ts";
import type { Drafter } from "./drafter.ts";
import { openReader } from "./reader.ts";

/**
 * Drafts with a model of the target's vocabulary: a smaller one, or the target's own weights in a
 * cheaper precision. Greedy runs draft its argmax; sampling runs draw from its distribution.
 *
 * @param model The draft model, or a context of it that holds a prefix of the prompt. A context
 *   that the drafter opened itself is closed with the drafter.
 * @returns The drafter.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stream, tableModel } from "@specbound/specbound";
 * const drafter = modelDrafter(tableModel({ vocabularySize: 5, seed: 1 }));
 * const request = { limit: 3, sampling: {}, random: stream(1, "draft") };
 * assertEquals((await drafter.propose([0, 1], request)).tokens.length, 3);
 * ```
 */
export function modelDrafter(model: LanguageModel | Context, name = "model"): Drafter {
  const { context, catchUp, ...reader } = openReader(model, name);
  return {
    ...reader,
    async propose(text, { limit, sampling, random, proceed }) {
      const tokens: TokenId[] = [];
      const distributions: Distribution[] = [];
      // After a fully accepted draft the cache lacks two tokens: the draft's last and the bonus.
      let unread = await catchUp(text);
      while (tokens.length < limit) {
        const evaluation = await context.evaluate([unread], undefined, "last");
        const chosen = choose(evaluation, unread.length - 1, 1, sampling, random);
        tokens.push(...chosen.tokens);
        if (chosen.distribution) distributions.push(chosen.distribution);
        const goesOn = tokens.length < limit &&
          (proceed?.(chosen.confidence(0), tokens.length) ?? true);
        context.commit(evaluation, [unread.length]);
        if (!goesOn) break;
        unread = chosen.tokens;
      }
      return { tokens, ...(distributions.length > 0 && { distributions }) };
    },
    observe(_round, text) {
      // What stays is the common prefix of the draft and the text; the newest token is never read.
      context.truncate(Math.min(context.length(), text.length - 1));
    },
  };
}
