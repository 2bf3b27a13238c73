/**
 * Advice: whether to speculate, with which draft, how far at each context, and when to stop.
 *
 * @module
 */

import type { Interval } from "../analysis/statistics.ts";
import type { Fallback } from "../decoding/policies/advised.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import { type Band, bandsOf, policyAfter } from "./bands.ts";
import {
  type Choice,
  type ChoiceOptions,
  chooser,
  contextOf,
  longestOf,
  placeOf,
} from "./choose.ts";
import { AdviceError, type AdviceEvidence, type AdviceWork, type KnownPrompt } from "./gather.ts";
import { priceList } from "./price.ts";
import { regretOf, type RoundShares, scoreUse, sharesOf } from "./score.ts";
import { promptsNear, useDraft } from "./use.ts";

/** Another way to decode. */
export interface Alternative {
  /** The target's precision. */
  readonly precision: string;
  /** The best use of one draft in it. */
  readonly choice: Choice;
}

/** What is advised for a piece of work on a machine. */
export interface Advice extends Choice {
  /** The work. */
  readonly work: AdviceWork;
  /** The target's precision: the one asked for, or the one in which replies are fastest. */
  readonly precision: string;
  /** SHA-256 of the target's weights, or null. */
  readonly modelHash: string | null;
  /** Tokens of a prompt that the verdict is for. */
  readonly context: number;
  /** Prompts whose traces speak for it. */
  readonly prompts: readonly KnownPrompt[];
  /** K and threshold by context, ascending from 0. Above the last, nothing was measured. */
  readonly bands: readonly Band[];
  /** When to stop drafting. */
  readonly fallback: Fallback;
  /** S of replies that obey the bands and the fallback. */
  readonly obeyed: Interval;
  /** How much longer replies take by always drafting four tokens; null if no trace knows so many. */
  readonly regret: Interval | null;
  /** Where a round's time goes. */
  readonly shares: RoundShares;
  /** Milliseconds by which the draft's reading of the prompt delays the first token. */
  readonly firstTokenMs: number;
  /** The best use of every other draft and precision, the fastest first. */
  readonly alternatives: readonly Alternative[];
}

/** Settings of advice. */
export interface AdviceOptions extends ChoiceOptions {
  /** When to stop drafting. Default: {@linkcode FALLBACK}. */
  readonly fallback?: Fallback;
}

/** A window long enough to tell a bad stretch from bad luck, a rest twice as long. */
export const FALLBACK: Fallback = { window: 8, retry: 16 };

/** The draft length that others are compared with: what engines take where they are told nothing. */
export const USUAL_LENGTH = 4;

/**
 * Advises on a piece of work. Of all drafts and draft lengths, the one is taken whose replies are
 * fastest, the draft's reading of the prompt paid for; "yes" takes an interval that lies above
 * 1 − slack. The interval is that of the choice made; it does not know that the best of many
 * was chosen, which {@linkcode holdOutAdvice} shows.
 *
 * @param work The work.
 * @param evidence What {@linkcode gather} found.
 * @param options Slack, fallback, seed, draws.
 * @returns The advice.
 * @throws {AdviceError} If the context lies outside of what was measured.
 * @throws {RangeError} If an option is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const costs = { target: { pass: constant(20), host: constant(0) }, draft: null, reading: null };
 * const right = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const text = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2 } as const;
 * const prompts = ["a", "b"].map((hash) => ({ hash, task: "code", tokens: 99 }));
 * const traces = new Map(prompts.map(({ hash }) => [hash, { choice: "chosen", ...text, drafts: right }]));
 * const drafts = [{ draft: "ngram", draftModel: null, costs, traces }];
 * const evidence = { precision: "int8", prompts, drafts, contexts: [64, 512] } as never;
 * const work = { model: "m", threads: 1, exact: false, temperature: 0, maxTokens: 3, batch: 1 };
 * const { verdict, use } = advise(work, [evidence]);
 * assertEquals([verdict, use.draftLength], ["yes", 2]);
 * ```
 */
export function advise(
  work: AdviceWork,
  evidence: readonly AdviceEvidence[],
  options: AdviceOptions = {},
): Advice {
  const { slack = 0, fallback = FALLBACK } = options;
  requireNumber("advise", "slack", slack, 0, 1);
  requireInteger("advise", "batch", work.batch, 1);
  requireInteger("advise", "maxTokens", work.maxTokens, 2);
  const [best, ...alternatives] = rank(work, evidence, options);
  if (!best) {
    const asked = [...new Set(evidence.map((known) => contextOf(work, known)))].join(" or ");
    const reach = evidence.map(({ contexts }) => contexts.join(" to ")).join(", ");
    throw new AdviceError(
      `Cannot advise on ${work.model} as costs at a context of ${asked} are not on record (${reach} are): run deno task sweep costs`,
    );
  }
  const { known, precision, choice } = best;
  const { use } = choice;
  const context = contextOf(work, known);
  const [prompts, place] = [promptsNear(known, context), placeOf(context, known, work)];
  const choose = chooser(known, work, options);
  const bands = bandsOf(use.draft, context, known, work, choose);
  const policy = () => policyAfter(context, { bands, fallback });
  const usual = longestOf(use.draft) < USUAL_LENGTH
    ? null
    : useDraft(use.draft, prompts, USUAL_LENGTH, work);
  const prompt = priceList(use.draft.costs, { ...place, context });
  return {
    ...choice,
    work,
    precision,
    modelHash: known.modelHash,
    context,
    prompts,
    bands,
    fallback,
    obeyed:
      scoreUse(useDraft(use.draft, prompts, use.draftLength, work, policy), place, options).reply,
    regret: usual && regretOf(usual, choice.verdict === "yes" ? use : null, place, options),
    shares: sharesOf(use, place),
    firstTokenMs: prompt({ kind: "reading", width: 1 }).ms,
    alternatives: alternatives.map(({ precision, choice }) => ({ precision, choice })),
  };
}

/** The best use of every draft in every precision, the fastest first. */
function rank(
  work: AdviceWork,
  evidence: readonly AdviceEvidence[],
  options: AdviceOptions,
): (Alternative & { readonly known: AdviceEvidence })[] {
  return evidence.flatMap((known) => {
    const choose = chooser(known, work, options);
    return known.drafts.flatMap((draft) => {
      const choice = choose(draft, contextOf(work, known));
      return choice ? [{ precision: known.precision, choice, known }] : [];
    });
  }).sort((a, b) =>
    a.choice.tokenMs - b.choice.tokenMs || b.choice.reply.estimate - a.choice.reply.estimate
  );
}
