/**
 * Plain decoding: one token a target pass. The baseline of every speed-up.
 *
 * @module
 */

import type { Context } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import { stream } from "../random.ts";
import { requireInteger } from "../validate.ts";
import { prefill } from "./prefill.ts";
import type { DecodeOptions, Round } from "./round.ts";
import { argmax, cut, requireSampling, sample } from "./sampling.ts";
import { settle } from "./settle.ts";

/**
 * Decodes a continuation of `prompt` one token at a time. It yields the rounds of `speculate` with
 * nothing drafted, so that both are counted and timed alike.
 *
 * @param target An open context of one row that holds a prefix of the prompt, or nothing.
 * @param prompt The text so far: at least one token.
 * @param options Length, sampling, seed.
 * @returns The rounds, as they happen.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const context = tableModel({ vocabularySize: 5, seed: 1 }).open();
 * const tokens = [];
 * for await (const round of autoregress(context, [0, 1], { maxTokens: 3, seed: 1 })) {
 *   tokens.push(...round.emitted);
 * }
 * assertEquals(tokens.length, 3);
 * ```
 */
export async function* autoregress(
  target: Context,
  prompt: readonly TokenId[],
  options: DecodeOptions,
): AsyncGenerator<Round, void> {
  const { maxTokens, sampling = {}, seed, endOfText, signal } = options;
  const clock = options.clock ?? (() => performance.now());
  requireInteger("decode", "maxTokens", maxTokens, 1);
  requireSampling(sampling);
  const { temperature = 0 } = sampling;
  const random = stream(seed, "accept");

  await prefill(target, prompt, options);
  let token = prompt.at(-1)!;
  let stop: Round["stop"] = null;
  for (let emitted = 0; stop === null; emitted++) {
    signal?.throwIfAborted();
    const started = clock();
    const evaluation = await target.evaluate([[token]]);
    const evaluated = clock();
    token = temperature === 0
      ? argmax(evaluation.logits(0))
      : sample(cut(evaluation.probabilities(0, temperature), sampling), random);
    const verdict = { path: [], tested: [], next: token }; // nothing was drafted
    const outcome = settle([], verdict, maxTokens - emitted, endOfText);
    const sampled = clock();
    target.commit(evaluation, [outcome.emitted.length]);
    stop = outcome.stop;
    const [verifyMs, sampleMs] = [evaluated - started, sampled - evaluated];
    const times = { draftMs: 0, verifyMs, sampleMs, hostMs: clock() - sampled };
    yield { drafter: null, drafted: [], ...outcome, ...times };
  }
}
