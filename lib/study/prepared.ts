/**
 * A prompt read once, to be forked by all pairs of its block.
 *
 * @module
 */

import type { Drafter } from "../decoding/drafters/drafter.ts";
import { fixed } from "../decoding/policies/fixed.ts";
import { speculate } from "../decoding/speculative.ts";
import { prefill } from "../decoding/prefill.ts";
import type { Context } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import type { Subject } from "./subject.ts";
import { messagesOf, type Prompt } from "./workload.ts";

/** A model's context after the prompt. */
export interface Prefilled {
  /** The model. */
  readonly subject: Subject;
  /**
   * All of the prompt but its last token. Do not write to it but fork it; a head's fork follows the
   * same context of the target.
   */
  readonly context: Context;
  /** Milliseconds it took to read. */
  readonly prefillMs: number;
}

/** A prompt as target and drafts have read it. */
export interface PreparedPrompt extends AsyncDisposable {
  /** The prompt. */
  readonly prompt: Prompt;
  /** Its tokens, chat template included. */
  readonly tokens: readonly TokenId[];
  /** The target. */
  readonly target: Prefilled;
  /** The draft models. */
  readonly drafts: readonly Prefilled[];
  /** The target's greedy continuation, for replays. */
  readonly continuation: readonly TokenId[];
}

/** Settings of the preparation. */
export interface PrepareOptions {
  /** Tokens of continuation to record. */
  readonly maxTokens: number;
  /** Stops between passes. */
  readonly signal?: AbortSignal;
  /** Monotonic clock in milliseconds. Default `performance.now`. */
  readonly clock?: () => number;
}

/**
 * Prefills a prompt in the target and the drafts, and records the target's greedy continuation. The
 * recording is not timed; it leaves caches and processor warm for the pairs that follow.
 *
 * @param prompt The prompt.
 * @param target The target.
 * @param drafts Draft models of the target's vocabulary.
 * @param options How much to record.
 * @returns Contexts to fork.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const model = tableModel({ vocabularySize: 9, seed: 1 });
 * const target = {
 *   model, id: "table", hash: null, precision: "fp32", headPrecision: null, differingWidths: null, attention: null,
 *   provider: "table", endOfText: new Set<number>(),
 *   encode: () => [1, 2, 3], [Symbol.asyncDispose]: () => Promise.resolve(),
 * } as const;
 * const prompt = { id: "a", task: "story", domain: "", determinism: "low", text: "Go." } as const;
 * await using prepared = await preparePrompt(prompt, target, [], { maxTokens: 5 });
 * assertEquals([prepared.target.context.length(), prepared.continuation.length], [2, 5]);
 * ```
 */
export async function preparePrompt(
  prompt: Prompt,
  target: Subject,
  drafts: readonly Subject[],
  options: PrepareOptions,
): Promise<PreparedPrompt> {
  await using opened = new AsyncDisposableStack();
  const tokens = target.encode(messagesOf(prompt));
  const read = async (subject: Subject, leader?: Context): Promise<Prefilled> => {
    const { clock = () => performance.now() } = options;
    const context = opened.use(
      leader && subject.follow ? subject.follow(leader) : subject.model.open(),
    );
    const started = clock();
    await prefill(context, tokens, options);
    return { subject, context, prefillMs: clock() - started };
  };
  const prefilled = await read(target);
  const prefilledDrafts: Prefilled[] = [];
  for (const draft of drafts) prefilledDrafts.push(await read(draft, prefilled.context));
  const continuation = await record(prefilled, tokens, options);
  const contexts = opened.move();
  return {
    prompt,
    tokens,
    target: prefilled,
    drafts: prefilledDrafts,
    continuation,
    [Symbol.asyncDispose]: () => contexts.disposeAsync(),
  };
}

/**
 * Runs passes of the given widths without keeping anything, so that no first use is timed.
 *
 * @param prefilled A context.
 * @param tokens The prompt's tokens.
 * @param widths Tokens a pass.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const context = tableModel({ vocabularySize: 9, seed: 1 }).open();
 * await context.append([[1, 2]]);
 * await warmUp({ context }, [1, 2, 3], [1, 5]);
 * assertEquals(context.length(), 2);
 * ```
 */
export async function warmUp(
  prefilled: Pick<Prefilled, "context">,
  tokens: readonly TokenId[],
  widths: Iterable<number>,
): Promise<void> {
  await using context = prefilled.context.fork();
  for (const width of widths) {
    // Of a head's pass only the first token may go beyond what its target has read.
    context.truncate(Math.min(context.length(), Math.max(0, tokens.length - width)));
    for (let i = 0; i < 2; i++) await context.evaluate([Array(width).fill(tokens.at(-1)!)]);
  }
}

async function record(
  { subject, context }: Prefilled,
  tokens: readonly TokenId[],
  { maxTokens, signal }: PrepareOptions,
): Promise<TokenId[]> {
  await using fork = context.fork();
  const { endOfText } = subject;
  const options = { maxTokens, endOfText, seed: 0, ...(signal && { signal }) };
  const continuation: TokenId[] = [];
  // Read in passes of two, as verification reads: where a kernel for one token decides a near tie
  // otherwise, a replay of plain decoding would go astray from the text that it is checked against.
  const beside: Drafter = {
    name: "any token",
    propose: (text) => Promise.resolve({ tokens: text.slice(-1) }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const rounds = speculate(fork, beside, tokens, { ...options, policy: fixed(1) });
  for await (const round of rounds) continuation.push(...round.emitted);
  return continuation;
}
