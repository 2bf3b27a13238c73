/**
 * A known continuation with errors put in: acceptance as a controlled factor.
 *
 * @module
 */

import type { TokenId } from "../../models/token.ts";
import { requireInteger, requireNumber } from "../../validate.ts";
import { coin } from "../../random.ts";
import type { Drafter } from "./drafter.ts";

/** Settings of a replay. */
export interface ReplayOptions {
  /**
   * The chance that a drafted token is right, given that those before it were: one number, or one
   * for each position in the draft (the last holds for all further ones). Errors are spread at
   * random, but their share of the continuation is exact: a coin a token would blur α by its luck.
   */
  readonly acceptance: number | readonly number[];
  /** Seed of the errors. The same output position errs alike in runs of any draft length. */
  readonly seed: number | string;
  /** Entries of the vocabulary. */
  readonly vocabularySize: number;
  /** A drafter whose real passes are run for their cost; what it proposes is not used. */
  readonly paying?: Drafter;
}

/**
 * Replays the continuation that the target itself decoded, wrong at prescribed rates. With greedy
 * decoding every right token is accepted and every wrong one rejected, so α is what was asked for,
 * and the system's boundary can be told from the draft's quality. (vLLM's synthetic rejection
 * sampling and llama.cpp's `--spec-synth-rates` set rates by position too.)
 *
 * @param prompt How many tokens the text has before the continuation.
 * @param continuation The target's greedy continuation of the prompt.
 * @param options Rates, seed, and whether to pay for real draft passes.
 * @returns The drafter.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stream } from "@specbound/specbound";
 * const request = { limit: 3, sampling: {}, random: stream(1, "draft") };
 * const right = replay(2, [5, 6, 7, 8], { acceptance: 1, seed: 1, vocabularySize: 10 });
 * assertEquals((await right.propose([0, 1, 5], request)).tokens, [6, 7, 8]);
 * ```
 */
export function replay(
  prompt: number,
  continuation: readonly TokenId[],
  options: ReplayOptions,
): Drafter {
  const { acceptance, seed, vocabularySize, paying } = options;
  const rates = typeof acceptance === "number" ? [acceptance] : acceptance;
  requireInteger("replay", "acceptance's length", rates.length, 1);
  rates.forEach((rate) => requireNumber("replay", "acceptance", rate, 0, 1));
  requireInteger("replay", "vocabularySize", vocabularySize, 2);
  const quantiles = quantilesOf(continuation.length, seed);
  return {
    name: `replay ${rates.join("/")}${paying ? ` paying for ${paying.name}` : ""}`,
    begin: async (text) => await paying?.begin?.(text),
    async propose(text, request) {
      // The cache of who pays will hold its own tokens where these stood: as long, so as costly.
      await paying?.propose(text, { ...request, proceed: undefined });
      const from = text.length - prompt;
      const tokens = continuation.slice(from, from + request.limit).map((token, depth) => {
        const rate = rates[Math.min(depth, rates.length - 1)]!;
        return quantiles[from + depth]! < rate ? token : (token + 1) % vocabularySize;
      });
      return { tokens };
    },
    observe: (round, text) => paying?.observe?.(round, text),
    [Symbol.asyncDispose]: async () => await paying?.[Symbol.asyncDispose](),
  };
}

/** Each position's place among all in a random order, as a number between 0 and 1. */
function quantilesOf(count: number, seed: number | string): Float64Array {
  const order = Uint32Array.from({ length: count }, (_, position) => position);
  const coins = Float64Array.from(order, (position) => coin(seed, `replay ${position}`));
  order.sort((a, b) => coins[a]! - coins[b]!);
  const quantiles = new Float64Array(count);
  order.forEach((position, rank) => quantiles[position] = (rank + 0.5) / count);
  return quantiles;
}
