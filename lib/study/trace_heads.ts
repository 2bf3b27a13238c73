/**
 * Recording traces of heads, which draft behind a context of their target.
 *
 * @module
 */

import type { Drafter } from "../decoding/drafters/drafter.ts";
import { modelDrafter } from "../decoding/drafters/model.ts";
import { prefill } from "../decoding/prefill.ts";
import type { Distribution, Sampling } from "../decoding/sampling.ts";
import type { Context } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import { stream } from "../random.ts";
import { requireInteger } from "../validate.ts";
import type { RecordedText } from "./recorded_text.ts";
import type { ChosenTrace, DrawnDraft, DrawnTrace } from "./trace.ts";
import {
  compareDraws,
  distributionAt,
  type RecordTraceOptions,
  tracedText,
} from "./trace_passes.ts";
import { traceDrafter } from "./trace_recorder.ts";

/** A head that is to be traced. */
export interface TracedHead {
  /** The target's context: a prefix of the prompt. It is forked. */
  readonly target: Context;
  /** Opens a context of the head that follows one of the target. */
  readonly follow: (target: Context) => Context;
}

/**
 * Traces a head that drafts greedily. It is asked at every position, after its target has read the
 * text up to there: what it drafts from a wrong token depends on where the draft began.
 *
 * @param text The text.
 * @param head The head, and its target's context.
 * @param options The longest draft.
 * @returns The trace.
 *
 * @example A model that needs no target has the trace of a model
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { recordText, tableModel, traceModel } from "@specbound/specbound";
 * const [target, draft] = [1, 2].map((seed) => tableModel({ vocabularySize: 3, seed }));
 * const options = { maxTokens: 20, seed: 1, endOfText: new Set<number>() };
 * const text = await recordText(target!.open(), [0, 1], options);
 * const head = { target: target!.open(), follow: () => draft!.open() };
 * const trace = await traceModel(text, draft!.open(), { longest: 4 });
 * assertEquals(await traceHead(text, head, { longest: 4 }), trace);
 * ```
 */
export async function traceHead(
  text: RecordedText,
  { target, follow }: TracedHead,
  options: RecordTraceOptions,
): Promise<ChosenTrace> {
  await using leader = target.fork();
  await using context = follow(leader);
  await using drafter = modelDrafter(context);
  const behind: Drafter = {
    ...drafter,
    async begin(prompt) {
      await prefill(leader, prompt, options);
      await drafter.begin!(prompt);
    },
    async propose(read, request) {
      await prefill(leader, read, options);
      return await drafter.propose(read, request);
    },
  };
  return await traceDrafter(text, behind, options);
}

/**
 * Traces a head that draws its drafts as the target draws its tokens. At every position it reads on
 * along the text, as a draft would that stood.
 *
 * @param text A text drawn from the target.
 * @param head The head, and its target's context.
 * @param options The longest draft, and the seed of the draws that calibration looks at.
 * @returns The trace, with the chances of further tokens at each position.
 *
 * @example A model that needs no target has the same chances wherever a draft begins
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { recordText, tableModel } from "@specbound/specbound";
 * const [target, draft] = [1, 2].map((seed) => tableModel({ vocabularySize: 3, seed }));
 * const options = { maxTokens: 9, seed: 1, endOfText: new Set<number>() };
 * const text = await recordText(target!.open(), [0], { ...options, sampling: { temperature: 1 } });
 * const head = { target: target!.open(), follow: () => draft!.open() };
 * const { drafts } = await traceHeadDraws(text, head, { longest: 4, seed: 1 });
 * assertEquals(drafts[0]!.further, drafts.slice(1, 4).map(({ chance }) => chance));
 * ```
 */
export async function traceHeadDraws(
  text: RecordedText,
  { target, follow }: TracedHead,
  options: RecordTraceOptions & { readonly seed: number | string },
): Promise<DrawnTrace> {
  const { longest, signal } = options;
  requireInteger("trace", "longest", longest, 1);
  const { prompt, tokens, maxTokens, sampling } = text;
  const random = stream(options.seed, "calibration");
  await using leader = target.fork();
  await prefill(leader, prompt, options);
  await using context = follow(leader);
  await prefill(context, prompt, options);
  const wanted: number[] = []; // p of the text's token at each position
  const offered: number[][] = []; // q of the text's tokens from each position on
  const compared: Omit<DrawnDraft, "chance">[] = [];
  for (const [position, token] of tokens.entries()) {
    signal?.throwIfAborted();
    const read = [...prompt, ...tokens.slice(0, position)];
    const depth = Math.max(1, Math.min(longest, maxTokens - position - 1));
    const ahead = tokens.slice(position, position + depth);
    const shares: number[] = [];
    let first: Distribution | undefined;
    for await (const q of readOn(context, read, ahead, sampling)) {
      first ??= q;
      shares.push(q[ahead[shares.length]!]!);
    }
    const evaluation = await leader.evaluate([read.slice(-1)]);
    const p = distributionAt(evaluation, 0, sampling);
    leader.commit(evaluation, [1]);
    wanted.push(p[token]!);
    offered.push(shares);
    compared.push(compareDraws(p, first!, random));
  }
  const drafts = compared.map((first, position): DrawnDraft => {
    const chances = offered[position]!.map((q, i) => Math.min(1, q / wanted[position + i]!));
    return { chance: chances[0]!, further: chances.slice(1), ...first };
  });
  return { choice: "drawn", ...tracedText(text, options), drafts };
}

/** What a model says before each of the tokens `ahead`, which it reads one by one as if it drafted them. */
async function* readOn(
  context: Context,
  read: readonly TokenId[],
  ahead: readonly TokenId[],
  sampling: Sampling,
): AsyncGenerator<Distribution, void> {
  context.truncate(Math.min(context.length(), read.length - 1));
  let unread = read.slice(context.length());
  for (const token of ahead) {
    const evaluation = await context.evaluate([unread], undefined, "last");
    const q = distributionAt(evaluation, unread.length - 1, sampling);
    context.commit(evaluation, [unread.length]);
    yield q;
    unread = [token];
  }
}
