/**
 * Advice: whether to speculate, with which draft, how far at each context, and when to stop.
 *
 * @module
 */

import { type Interval, median } from "../analysis/statistics.ts";
import { advised, type AdvisedRange, type Fallback } from "../decoding/policies/advised.ts";
import type { Policy } from "../decoding/policies/policy.ts";
import { requireInteger, requireNumber } from "../validate.ts";
import {
  AdviceError,
  type AdviceEvidence,
  type AdviceWork,
  type DraftEvidence,
  type KnownPrompt,
} from "./gather.ts";
import { type DrawOptions, type PricedPlace, priceList } from "./price.ts";
import {
  type AdviceVerdict,
  estimateReply,
  judgeReply,
  regretOf,
  type RoundShares,
  type Score,
  scoreUse,
  sharesOf,
  thresholdOf,
} from "./score.ts";
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

/** What is advised over a range of contexts. */
export interface Band extends Choice, AdvisedRange {
  /** K; 0 unless the verdict is yes. */
  readonly draftLength: number;
  /** Where the range ends; the next one begins there. */
  readonly to: number;
  /** Whether it rests on prompts of about its length; else on all there are. */
  readonly near: boolean;
}

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
export interface AdviceOptions extends DrawOptions {
  /** Share by which replies may be slower at the unlucky end of the interval. Default 0. */
  readonly slack?: number;
  /** When to stop drafting. Default: {@linkcode FALLBACK}. */
  readonly fallback?: Fallback;
}

/** A window long enough to tell a bad stretch from bad luck, a rest twice as long. */
export const FALLBACK: Fallback = { window: 8, retry: 16 };

/** The draft length that others are compared with: what engines take where they are told nothing. */
export const USUAL_LENGTH = 4;

/** The longest draft that is considered. */
const LONGEST = 16;

/** Draft lengths this near to the best count as equal: the shortest is taken, which risks least. */
const TIE = 0.01;

/** Where ranges of context begin. */
const EDGES = [0, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072];

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
    const reach = evidence.map(({ contexts }) => contexts.join(" to ")).join(", ");
    throw new AdviceError(
      `Cannot advise on ${work.model} as costs at a context of ${work.context} are not on record (${reach} are): run deno task sweep costs`,
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

type Chooser = (draft: DraftEvidence, context: number) => Choice | null;

/** Finds the best K of a draft at a context; null where none has costs. */
function chooser(known: AdviceEvidence, work: AdviceWork, options: AdviceOptions): Chooser {
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

/** K by context: each range is judged at its middle, that of the prompt asked about at its length. */
function bandsOf(
  draft: DraftEvidence,
  asked: number,
  known: AdviceEvidence,
  work: AdviceWork,
  choose: Chooser,
): Band[] {
  const [least, most] = known.contexts;
  return EDGES.slice(0, -1).filter((from) => from < most).flatMap((from, i) => {
    const to = EDGES[i + 1]!;
    const middle = Math.round(Math.sqrt(Math.max(from, to / 4) * to));
    const context = from <= asked && asked < to ? asked : Math.min(Math.max(middle, least), most);
    const choice = choose(draft, context);
    if (!choice) return [];
    const { draftLength } = choice.use;
    const threshold = thresholdOf(choice.use, placeOf(context, known, work));
    const typical = contextOf({}, { prompts: promptsNear(known, context) });
    const near = context / 2 <= typical && typical <= 2 * context;
    return [{
      ...choice,
      from,
      to,
      draftLength: choice.verdict === "yes" ? draftLength : 0,
      threshold,
      near,
    }];
  });
}

/**
 * Ranges for a policy to obey: the bands, then plain decoding where nothing was measured.
 *
 * @param bands The bands.
 * @returns The ranges, ascending from 0.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const band = { from: 0, to: 256, draftLength: 4, threshold: 0.3 };
 * const beyond = { from: 256, draftLength: 0, threshold: 1 };
 * assertEquals(rangesOf([band]), [{ from: 0, draftLength: 4, threshold: 0.3 }, beyond]);
 * ```
 */
export function rangesOf(bands: readonly (AdvisedRange & Pick<Band, "to">)[]): AdvisedRange[] {
  const known = bands.map(({ from, draftLength, threshold }) => ({ from, draftLength, threshold }));
  return [...known, { from: bands.at(-1)?.to ?? 0, draftLength: 0, threshold: 1 }];
}

/**
 * What obeying advice means for the replay of a trace, which begins after its prompt.
 *
 * @param context Tokens of the prompt.
 * @param advice Bands and fallback.
 * @returns The policy, for one text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const bands = [{ from: 0, to: 256, draftLength: 4, threshold: 0.3 }];
 * const { limit } = policyAfter(250, { bands, fallback: { window: 8, retry: 16 } });
 * const at = (position: number) => limit({ position, emitted: position, last: null });
 * assertEquals([at(5), at(6)], [4, 0]);
 * ```
 */
export function policyAfter(
  context: number,
  { bands, fallback }: {
    readonly bands: readonly (AdvisedRange & Pick<Band, "to">)[];
    readonly fallback: Fallback;
  },
): Policy {
  const policy = advised({ ranges: rangesOf(bands), fallback });
  return {
    ...policy,
    limit: (state) => policy.limit({ ...state, position: state.position + context }),
  };
}
