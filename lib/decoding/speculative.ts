/**
 * Speculative decoding: draft, check in one pass, keep what stands, go on.
 *
 * @module
 */

import type { Context, Evaluation } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import { requireInteger } from "../validate.ts";
import type { Drafter, Proposal } from "./drafters/drafter.ts";
import { fixed } from "./policies/fixed.ts";
import type { Policy } from "./policies/policy.ts";
import { prefill } from "./prefill.ts";
import { type Random, stream } from "../random.ts";
import { type DecodeOptions, type Round, settle } from "./round.ts";
import {
  argmax,
  type Distribution,
  distribution,
  isGreedy,
  requireSampling,
  type Sampling,
} from "./sampling.ts";
import { type Verdict, verify, verifyGreedy } from "./verify.ts";

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
  const { maxTokens, sampling = {}, seed, policy = fixed(4), clock = now, signal } = options;
  requireInteger("speculate", "maxTokens", maxTokens, 1);
  requireSampling(sampling);
  const [draftRandom, acceptRandom] = [stream(seed, "draft"), stream(seed, "accept")];
  const proceed = policy.proceed?.bind(policy) ?? (() => true);
  const text = [...prompt];
  let last: Round | null = null;

  await prefill(target, prompt, options);
  await drafter.begin?.(prompt);
  for (let emitted = 0; last?.stop == null; emitted += last.emitted.length) {
    signal?.throwIfAborted();
    const started = clock();
    const state = { position: text.length, emitted, last };
    const limit = Math.min(policy.limit(state), maxTokens - emitted - 1); // the pass adds one more
    const request = { limit, sampling, random: draftRandom, proceed };
    const draft: Proposal = limit > 0 ? await drafter.propose(text, request) : { tokens: [] };
    const drafted = clock();

    const parents = draft.parents && [-1, ...draft.parents.map((parent) => parent + 1)];
    const evaluation = await target.evaluate(
      [[text.at(-1)!, ...draft.tokens]],
      parents && [parents],
    );
    const evaluated = clock();

    const { path, tested, next } = judge(draft, evaluation, sampling, acceptRandom);
    const continuation = [...path.map((index) => draft.tokens[index]!), next];
    const outcome = settle(continuation, tested, maxTokens - emitted, options.endOfText);
    const sampled = clock();

    // As many tokens are committed as emitted: the pass began with the newest one of the last round.
    const kept = outcome.emitted.length;
    target.commit(evaluation, [parents ? [0, ...path.map((i) => i + 1)].slice(0, kept) : kept]);
    text.push(...outcome.emitted);
    const [draftMs, verifyMs, sampleMs] = [
      drafted - started,
      evaluated - drafted,
      sampled - evaluated,
    ];
    last = { drafted: draft.tokens, ...outcome, draftMs, verifyMs, sampleMs, hostMs: 0 };
    drafter.observe?.(last, text);
    yield last = { ...last, hostMs: clock() - sampled };
  }
}

function judge(
  draft: Proposal,
  evaluation: Evaluation,
  sampling: Sampling,
  random: Random,
): Verdict {
  const { tokens, parents, distributions } = draft;
  const rows = Array.from({ length: tokens.length + 1 }, (_, index) => evaluation.logits(index));
  if (isGreedy(sampling)) return verifyGreedy(tokens, rows.map(argmax), parents);
  const p = rows.map((logits) => distribution(logits, sampling));
  const q: (Distribution | null)[] = tokens.map((_, index) => distributions?.[index] ?? null);
  return verify(tokens, q, p, random, parents);
}

function now(): number {
  return performance.now();
}
