/**
 * Drafters in order of preference.
 *
 * @module
 */

import type { Drafter } from "./drafter.ts";

/**
 * Asks drafters in turn and takes the first proposal that has tokens: an n-gram table where the
 * text repeats itself, a model elsewhere. The proposal tells whose it is, and so does its round.
 *
 * A model that was not asked catches up when it is asked next, in drafting time. Where one stands
 * ready, n-grams that are unsure cost its better draft: their threshold should be higher than alone.
 *
 * @param drafters What to ask, the cheapest first. They are closed with this one.
 * @returns The drafter.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { modelDrafter, onlineNgram, stream, tableModel } from "@specbound/specbound";
 * const model = modelDrafter(tableModel({ vocabularySize: 9, seed: 1 }));
 * await using drafter = firstOf([onlineNgram({ threshold: 0.5 }), model]);
 * const request = { limit: 3, sampling: {}, random: stream(1, "draft") };
 * assertEquals((await drafter.propose([1, 2, 3], request)).drafter, "table 1");
 * assertEquals((await drafter.propose([1, 2, 3, 1, 2], request)).drafter, "online n-gram 8");
 * ```
 */
export function firstOf(drafters: readonly Drafter[]): Drafter {
  return {
    name: drafters.map(({ name }) => name).join(", else "),
    async begin(prompt) {
      for (const drafter of drafters) await drafter.begin?.(prompt);
    },
    async propose(text, request) {
      for (const drafter of drafters) {
        const proposal = await drafter.propose(text, request);
        if (proposal.tokens.length > 0) return { drafter: drafter.name, ...proposal };
      }
      return { tokens: [] };
    },
    observe(round, text) {
      for (const drafter of drafters) drafter.observe?.(round, text);
    },
    async [Symbol.asyncDispose]() {
      await using owned = new AsyncDisposableStack();
      for (const drafter of drafters) owned.use(drafter);
    },
  };
}
