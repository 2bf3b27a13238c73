/**
 * What recording a trace of any draft takes.
 *
 * @module
 */

import { prefill } from "../decoding/prefill.ts";
import { cut, type Distribution, sample, type Sampling } from "../decoding/sampling.ts";
import type { Context, Evaluation } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import type { Random } from "../random.ts";
import type { RecordedText } from "./recorded_text.ts";
import type { DrawnDraft, Traced } from "./trace.ts";

/** Tokens of text that are read in one pass. */
const STRIDE = 16;

/** Settings of a trace. */
export interface RecordTraceOptions {
  /** Tokens asked of each draft: the longest draft that can be replayed. */
  readonly longest: number;
  /** Stops between passes. */
  readonly signal?: AbortSignal;
}

/** What a trace says of its text. */
export function tracedText(
  { tokens, stop, maxTokens }: RecordedText,
  { longest }: RecordTraceOptions,
): Traced {
  return { tokens, stop, maxTokens, longest };
}

/** Reads a text in wide passes, and hands over what each model's pass found before each token. */
export async function readAlong(
  { prompt, tokens }: RecordedText,
  models: readonly Context[],
  visit: (passes: readonly Evaluation[], index: number, token: TokenId) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const contexts = models.map((model) => opened.use(model.fork()));
  for (const context of contexts) await prefill(context, prompt);
  const read = [prompt.at(-1)!, ...tokens.slice(0, -1)];
  for (let from = 0; from < read.length; from += STRIDE) {
    signal?.throwIfAborted();
    const chunk = read.slice(from, from + STRIDE);
    const evaluations: Evaluation[] = [];
    for (const context of contexts) evaluations.push(await context.evaluate([chunk]));
    chunk.forEach((_, index) => visit(evaluations, index, tokens[from + index]!));
    contexts.forEach((context, i) => context.commit(evaluations[i]!, [chunk.length]));
  }
}

/** What a pass makes of the next token, as the text was sampled. */
export function distributionAt(
  evaluation: Evaluation,
  index: number,
  sampling: Sampling,
): Distribution {
  return cut(evaluation.probabilities(index, sampling.temperature ?? 0), sampling);
}

/** How much of p and q is the same, and what becomes of a token that is drawn from q. */
export function compareDraws(
  p: Distribution,
  q: Distribution,
  random: Random,
): Omit<DrawnDraft, "chance"> {
  const drawn = sample(q, random);
  let overlap = 0;
  for (let i = 0; i < p.length; i++) overlap += Math.min(p[i]!, q[i]!);
  return { overlap, confidence: q[drawn]!, acceptance: Math.min(1, p[drawn]! / q[drawn]!) };
}
