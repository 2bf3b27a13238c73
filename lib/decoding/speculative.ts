/**
 * Speculative decoding: draft, check in one pass, keep what stands, go on.
 *
 * @module
 */

import type { Context } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import { stream } from "../random.ts";
import { requireInteger } from "../validate.ts";
import { type Drafter, type Proposal, proposerOf } from "./drafters/drafter.ts";
import { kept, passOver, scoresOf } from "./pass.ts";
import { fixed } from "./policies/fixed.ts";
import type { Policy } from "./policies/policy.ts";
import { prefill } from "./prefill.ts";
import type { DecodeOptions, Round } from "./round.ts";
import { requireSampling } from "./sampling.ts";
import { settle } from "./settle.ts";
import { judge } from "./verify.ts";

/** Options of speculative decoding. */
export interface SpeculateOptions extends DecodeOptions {
  /** How far to draft. Default: 4 tokens a round. */
  readonly policy?: Policy;
}

/**
 * Decodes a continuation of `prompt` with a draft's help. Greedy: the tokens of plain decoding.
 * Sampling: tokens distributed as plain decoding's (Leviathan et al. 2023; Chen et al. 2023).
 *
 * The newest token of the text is never committed: it enters the next pass ahead of the draft, so
 * one pass both reads it and checks what is drafted to follow.
 *
 * @param target An open context of one row that holds a prefix of the prompt, or nothing.
 * @param drafter What proposes.
 * @param prompt The text so far: at least one token.
 * @param options Length, sampling, seed, policy.
 * @returns The rounds, as they happen.
 *
 * @example A draft that is the target itself is always right
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { modelDrafter, tableModel } from "@specbound/specbound";
 * const model = tableModel({ vocabularySize: 5, seed: 1 });
 * const rounds = speculate(model.open(), modelDrafter(model), [0, 1], { maxTokens: 9, seed: 1 });
 * const accepted = [];
 * for await (const round of rounds) accepted.push(round.accepted);
 * assertEquals(accepted, [4, 3]); // the last round needs no more
 * ```
 */
export async function* speculate(
  target: Context,
  drafter: Drafter,
  prompt: readonly TokenId[],
  options: SpeculateOptions,
): AsyncGenerator<Round, void> {
  const { maxTokens, sampling = {}, seed, policy = fixed(4), endOfText, signal } = options;
  const clock = options.clock ?? (() => performance.now());
  requireInteger("speculate", "maxTokens", maxTokens, 1);
  requireSampling(sampling);
  const [draftRandom, acceptRandom] = [stream(seed, "draft"), stream(seed, "accept")];
  const proceed = policy.proceed?.bind(policy);
  const text = [...prompt];
  let last: Round | null = null;

  await prefill(target, prompt, options);
  await drafter.begin?.(prompt);
  for (let emitted = 0; last?.stop == null; emitted += last.emitted.length) {
    signal?.throwIfAborted();
    const started = clock();
    const remaining = maxTokens - emitted;
    const wanted = policy.limit({ position: text.length, emitted, last });
    const limit = Math.min(wanted, remaining - 1); // the pass adds one more
    requireInteger("speculate", "policy.limit", limit, 0);
    const request = { limit, sampling, random: draftRandom, proceed };
    const draft: Proposal = limit > 0 ? await drafter.propose(text, request) : { tokens: [] };
    const drafted = clock();

    const { tokens, parents } = passOver(text.at(-1)!, draft);
    const evaluation = await target.evaluate([tokens], parents && [parents]);
    const evaluated = clock();

    const verdict = judge(draft, scoresOf(evaluation), sampling, acceptRandom);
    const outcome = settle(draft.tokens, verdict, remaining, endOfText);
    const sampled = clock();

    target.commit(evaluation, [kept(draft, verdict, outcome)]);
    text.push(...outcome.emitted);
    const [draftMs, verifyMs] = [drafted - started, evaluated - drafted];
    const times = { draftMs, verifyMs, sampleMs: sampled - evaluated, hostMs: 0 };
    last = { drafter: proposerOf(draft, drafter), drafted: draft.tokens, ...outcome, ...times };
    drafter.observe?.(last, text);
    yield last = { ...last, hostMs: clock() - sampled };
  }
}
