/**
 * Recording traces of drafts whose tokens are chosen.
 *
 * @module
 */

import type { Drafter } from "../decoding/drafters/drafter.ts";
import { modelDrafter } from "../decoding/drafters/model.ts";
import type { Round } from "../decoding/round.ts";
import { argmax } from "../decoding/sampling.ts";
import type { Context } from "../engine/language_model.ts";
import type { TokenId } from "../models/token.ts";
import type { Random } from "../random.ts";
import { requireInteger } from "../validate.ts";
import type { RecordedText } from "./recorded_text.ts";
import type { ChosenDraft, ChosenTrace } from "./trace.ts";
import { readAlong, type RecordTraceOptions, tracedText } from "./trace_passes.ts";

/**
 * Traces a drafter by asking it at every position. It fits any drafter whose tokens are chosen and do
 * not depend on what became of its drafts before; n-gram tables answer at once.
 *
 * @param text The text.
 * @param drafter What drafts.
 * @param options The longest draft.
 * @returns The trace.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { promptLookup } from "@specbound/specbound";
 * const text = { prompt: [7, 8, 9, 4, 7, 8], tokens: [9, 4, 5], sampling: {} };
 * const recorded = { ...text, stop: "length", maxTokens: 3 } as const;
 * const { drafts } = await traceDrafter(recorded, promptLookup(), { longest: 4 });
 * assertEquals(drafts.map(({ right }) => right), [2, 1, 0]);
 * ```
 */
export async function traceDrafter(
  text: RecordedText,
  drafter: Drafter,
  options: RecordTraceOptions,
): Promise<ChosenTrace> {
  const { prompt, tokens } = text;
  requireInteger("trace", "longest", options.longest, 1);
  await drafter.begin?.(prompt);
  const drafts: ChosenDraft[] = [];
  for (const [position, token] of tokens.entries()) {
    options.signal?.throwIfAborted();
    const drafted = await draftAt(text, position, drafter, options);
    const wrong = drafted.tokens.findIndex((guess, i) => guess !== tokens[position + i]);
    const offered = drafted.tokens.length;
    drafts.push({ offered, right: wrong < 0 ? offered : wrong, confidences: drafted.confidences });
    drafter.observe?.(plainRound(token), [...prompt, ...tokens.slice(0, position + 1)]);
  }
  return { choice: "chosen", ...tracedText(text, options), drafts };
}

/**
 * Traces a model that drafts greedily. What it makes of the text is read off wide passes; only what
 * it would draft on from each wrong token takes passes of its own, and these are the same wherever
 * the draft began.
 *
 * @param text A greedy text.
 * @param draft The draft's context: a prefix of the prompt. It is forked.
 * @param options The longest draft.
 * @returns The trace that {@linkcode traceDrafter} would make.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { modelDrafter, recordText, tableModel } from "@specbound/specbound";
 * const [target, draft] = [1, 2].map((seed) => tableModel({ vocabularySize: 3, seed }));
 * const options = { maxTokens: 20, seed: 1, endOfText: new Set<number>() };
 * const text = await recordText(target!.open(), [0, 1], options);
 * const slow = await traceDrafter(text, modelDrafter(draft!), { longest: 4 });
 * assertEquals(await traceModel(text, draft!.open(), { longest: 4 }), slow);
 * ```
 */
export async function traceModel(
  text: RecordedText,
  draft: Context,
  options: RecordTraceOptions,
): Promise<ChosenTrace> {
  const { prompt, tokens, maxTokens } = text;
  const { longest, signal } = options;
  requireInteger("trace", "longest", longest, 1);
  const guesses: { readonly right: boolean; readonly confidence: number }[] = [];
  await readAlong(text, [draft], ([pass], index, token) => {
    const guess = argmax(pass!.logits(index));
    const confidence = pass!.probabilities(index, 1)[guess]!;
    guesses.push({ right: guess === token, confidence });
  }, signal);
  const wrong = guesses.flatMap(({ right }, position) => right ? [] : [position]);
  if (text.stop === "end") wrong.push(tokens.length); // drafts go on past the end of the text

  await using context = draft.fork();
  await using drafter = modelDrafter(context);
  const fromWrong = new Map<number, readonly number[]>();
  for (const position of wrong) {
    signal?.throwIfAborted();
    fromWrong.set(position, (await draftAt(text, position, drafter, options)).confidences);
    context.truncate(Math.min(context.length(), prompt.length + position));
  }
  const drafts = tokens.map((_, position) => {
    const offered = Math.max(0, Math.min(longest, maxTokens - position - 1));
    const next = wrong.find((place) => place >= position) ?? tokens.length;
    const sure = guesses.slice(position, next).map(({ confidence }) => confidence);
    // The last token's confidence is not asked for, as the draft ends there anyway.
    const confidences = [...sure, ...fromWrong.get(next) ?? []].slice(0, Math.max(0, offered - 1));
    return { offered, right: Math.min(next - position, offered), confidences };
  });
  return { choice: "chosen", ...tracedText(text, options), drafts };
}

/** A draft after the text's first `position` tokens, and how sure the drafter was. */
async function draftAt(
  { prompt, tokens, maxTokens, sampling }: RecordedText,
  position: number,
  drafter: Drafter,
  { longest }: RecordTraceOptions,
): Promise<{ readonly tokens: readonly TokenId[]; readonly confidences: readonly number[] }> {
  const limit = Math.min(longest, maxTokens - position - 1);
  if (limit < 1) return { tokens: [], confidences: [] };
  const confidences: number[] = [];
  const proceed = (confidence: number) => confidences.push(confidence) > 0;
  const request = { limit, sampling, random: NOT_DRAWN, proceed };
  const text = [...prompt, ...tokens.slice(0, position)];
  const proposal = await drafter.propose(text, request);
  if (proposal.distributions || proposal.parents) {
    throw new TypeError(
      `Cannot trace ${drafter.name} as its drafts are drawn or trees: trace a draft of chosen tokens`,
    );
  }
  return { tokens: proposal.tokens, confidences };
}

/** Chosen tokens need no luck. */
const NOT_DRAWN: Random = () => {
  throw new TypeError("Cannot trace a drafter that draws: trace its model instead");
};

/** A token of the text as plain decoding emits it. */
function plainRound(token: TokenId): Round {
  const times = { draftMs: 0, verifyMs: 0, sampleMs: 0, hostMs: 0 };
  const counts = { drafter: null, drafted: [], tested: 0, accepted: 0 };
  return { ...counts, emitted: [token], stop: null, ...times };
}
