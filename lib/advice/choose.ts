/**
 * Choosing how far to draft at one context.
 *
 * @module
 */

import { median } from "../analysis/statistics.ts";
import type { AdviceEvidence, AdviceWork, DraftEvidence, KnownPrompt } from "./gather.ts";
import { type DrawOptions, type PricedPlace, priceList } from "./price.ts";
import { type AdviceVerdict, estimateReply, judgeReply, type Score, scoreUse } from "./score.ts";
import { type DraftUse, promptsNear, useDraft } from "./use.ts";

/** The best use of a draft, and whether that pays. */
export interface Choice extends Score {
  /** The draft at its best K: at least 1, even where plain decoding is better. */
  readonly use: DraftUse;
  /** Whether to switch it on. */
  readonly verdict: AdviceVerdict;
  /** Milliseconds a token of plain decoding. */
  readonly plainMs: number;
  /** Milliseconds a token of replies as advised: plain ones unless the verdict is yes. */
  readonly tokenMs: number;
}

/** Settings of a choice. */
export interface ChoiceOptions extends DrawOptions {
  /** Share by which replies may be slower at the unlucky end of the interval. Default 0. */
  readonly slack?: number;
}

/** Finds the best K of a draft at a context; null where none has costs. */
export type Chooser = (draft: DraftEvidence, context: number) => Choice | null;

/** The longest draft that is considered. */
const LONGEST = 16;

/** Draft lengths this near to the best count as equal: the shortest is taken, which risks least. */
const TIE = 0.01;

/**
 * Tokens of a prompt that advice is for.
 *
 * @param work The work.
 * @param evidence What is known.
 * @returns Those asked for, or the median of the prompts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const prompts = [40, 90, 700].map((tokens) => ({ hash: "", task: "code", tokens }));
 * assertEquals(contextOf({}, { prompts }), 90);
 * ```
 */
export function contextOf(
  { context }: Pick<AdviceWork, "context">,
  { prompts }: Pick<AdviceEvidence, "prompts">,
): number {
  return context ?? Math.round(median(prompts.map(({ tokens }) => tokens)));
}

/**
 * Where replies to prompts of a length are priced: at the middle of the reply.
 *
 * @param context Tokens of the prompt.
 * @param evidence What is known. Shorter texts than were measured have the price of the shortest.
 * @param work Length and number of the replies.
 * @returns n, B.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const evidence = { contexts: [64, 4096] } as const;
 * const at = (context: number) => placeOf(context, evidence, { maxTokens: 40, batch: 1 }).context;
 * assertEquals([at(10), at(100), at(4090)], [64, 120, 4096]);
 * ```
 */
export function placeOf(
  context: number,
  { contexts: [least, most] }: Pick<AdviceEvidence, "contexts">,
  { maxTokens, batch }: Pick<AdviceWork, "maxTokens" | "batch">,
): PricedPlace {
  const middle = context + Math.round(maxTokens / 2);
  return { context: Math.min(Math.max(middle, least), Math.max(most, context)), batch };
}

/**
 * The longest draft that all traces of a draft know.
 *
 * @param draft The draft.
 * @returns K.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const traces = new Map([["a", { longest: 16 }], ["b", { longest: 8 }]]);
 * assertEquals(longestOf({ traces } as never), 8);
 * ```
 */
export function longestOf({ traces }: Pick<DraftEvidence, "traces">): number {
  return Math.min(LONGEST, ...traces.values().map(({ longest }) => longest));
}

/**
 * What chooses draft lengths for a piece of work. Of those that are all but equal it takes the shortest.
 *
 * @param known Traces and costs of the drafts in one precision.
 * @param work The work.
 * @param options Slack, seed, draws.
 * @returns The chooser, which replays a trace once for each length.
 */
export function chooser(
  known: AdviceEvidence,
  work: AdviceWork,
  options: ChoiceOptions = {},
): Chooser {
  const uses = new Map<readonly KnownPrompt[], Map<string, DraftUse>>();
  const useOf = (draft: DraftEvidence, prompts: readonly KnownPrompt[], draftLength: number) => {
    const ofThese = uses.get(prompts) ?? new Map<string, DraftUse>();
    uses.set(prompts, ofThese);
    const name = `${known.drafts.indexOf(draft)} ${draftLength}`;
    const use = ofThese.get(name) ?? useDraft(draft, prompts, draftLength, work);
    ofThese.set(name, use);
    return use;
  };
  return (draft, context) => {
    const [prompts, place] = [promptsNear(known, context), placeOf(context, known, work)];
    const priced = Array.from({ length: longestOf(draft) }, (_, i) => {
      const use = useOf(draft, prompts, i + 1);
      return { use, estimate: estimateReply(use, place) ?? -Infinity };
    });
    const most = Math.max(...priced.map(({ estimate }) => estimate));
    if (most === -Infinity) return null;
    const { use } = priced.find(({ estimate }) => estimate * (1 + TIE) >= most)!;
    const score = scoreUse(use, place, options);
    const verdict = judgeReply(score.reply, options.slack ?? 0);
    const list = priceList(draft.costs, place);
    const plainMs = list({ kind: "pass", width: 1 }).ms + list({ kind: "host", width: 1 }).ms;
    const tokenMs = verdict === "yes" ? plainMs / score.reply.estimate : plainMs;
    return { use, ...score, verdict, plainMs, tokenMs };
  };
}
