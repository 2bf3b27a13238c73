/**
 * The texts that traces are made of.
 *
 * @module
 */

import { autoregress } from "../decoding/autoregressive.ts";
import type { Sampling } from "../decoding/sampling.ts";
import type { Context } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import type { Trace } from "./trace.ts";

/** A text that the target decoded plainly. */
export interface RecordedText extends Pick<Trace, "tokens" | "stop" | "maxTokens"> {
  /** What it continues. */
  readonly prompt: readonly TokenId[];
  /** How its tokens were chosen. */
  readonly sampling: Sampling;
}

/** Settings of a text. */
export interface RecordTextOptions {
  /** Most tokens. */
  readonly maxTokens: number;
  /** How tokens are chosen. Default greedy. */
  readonly sampling?: Sampling;
  /** Seed of sampling. */
  readonly seed: number | string;
  /** Tokens that end the text. */
  readonly endOfText: ReadonlySet<TokenId>;
  /** Stops between passes. */
  readonly signal?: AbortSignal;
}

/**
 * Decodes the text that traces are made of. All drafts' traces of one text see the same luck.
 *
 * @param target The target's context: a prefix of the prompt. It is forked.
 * @param prompt The prompt.
 * @param options Length, sampling, seed.
 * @returns The text, with the token that ended it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableModel } from "@specbound/specbound";
 * const target = tableModel({ vocabularySize: 5, seed: 1 }).open();
 * const options = { maxTokens: 9, seed: 1, endOfText: new Set<number>() };
 * assertEquals((await recordText(target, [0, 1], options)).tokens.length, 9);
 * ```
 */
export async function recordText(
  target: Context,
  prompt: readonly TokenId[],
  options: RecordTextOptions,
): Promise<RecordedText> {
  const { endOfText, sampling = {}, ...decoding } = options;
  await using fork = target.fork();
  const tokens: TokenId[] = [];
  const { maxTokens } = options;
  for await (const { emitted } of autoregress(fork, prompt, { ...decoding, sampling })) {
    tokens.push(...emitted);
    if (endOfText.has(tokens.at(-1)!)) return { prompt, tokens, stop: "end", maxTokens, sampling };
  }
  return { prompt, tokens, stop: "length", maxTokens, sampling };
}
