/**
 * How good advice is on prompts that it was not given.
 *
 * @module
 */

import { type AdviceOptions, advise, USUAL_LENGTH } from "./advise.ts";
import { policyAfter } from "./bands.ts";
import { longestOf, placeOf } from "./choose.ts";
import {
  AdviceError,
  type AdviceEvidence,
  type AdviceWork,
  type DraftEvidence,
  type DraftName,
  type KnownPrompt,
} from "./gather.ts";
import { type AdviceVerdict, estimateReply } from "./score.ts";
import { useDraft } from "./use.ts";
import type { Interval } from "../analysis/statistics.ts";

/** Advice from one half of the prompts, judged on the other half with the same costs. */
export interface HeldOutAdvice {
  /** Prompts of the other half. */
  readonly prompts: number;
  /** What was advised. */
  readonly verdict: AdviceVerdict;
  /** The target's precision, in which all of this is. */
  readonly precision: string;
  /** The draft that was advised. */
  readonly draft: DraftName;
  /** Its K. */
  readonly draftLength: number;
  /** S that was expected of it, switched on or not. */
  readonly expected: Interval;
  /** S that it had on the other half, switched on or not. */
  readonly had: number;
  /** S of who follows the advice: 1 where it did not say yes. */
  readonly followed: number;
  /** S of who lets the policy follow it, fallback included. */
  readonly obeyed: number;
  /** S of always drafting four tokens with the same draft; null if no trace knows so many. */
  readonly usual: number | null;
  /** S of the best draft and K of all, plain decoding among them, known with hindsight. */
  readonly best: number;
  /** That draft; null for plain decoding. */
  readonly bestUse: { readonly draft: DraftName; readonly draftLength: number } | null;
}

/** Prompts of which halves can be made that have an interval. */
const FEWEST = 4;

/**
 * Splits the prompts of each task in two, advises from each half, and judges on the other.
 *
 * @param work The work.
 * @param evidence What {@linkcode gather} found.
 * @param options Slack, fallback, seed, draws.
 * @returns One entry a half.
 * @throws {AdviceError} If there are fewer than four prompts, or no costs for the context.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const constant = (ms: number) => ({ time: () => ({ ms, low: ms, high: ms, error: 0 }) }) as never;
 * const costs = { target: { pass: constant(20), host: constant(0) }, draft: null, reading: null };
 * const right = [2, 1, 0].map((right) => ({ offered: 2, right, confidences: [] }));
 * const text = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2 } as const;
 * const prompts = ["a", "b", "c", "d"].map((hash) => ({ hash, task: "code", tokens: 99 }));
 * const traces = new Map(prompts.map(({ hash }) => [hash, { choice: "chosen", ...text, drafts: right }]));
 * const drafts = [{ draft: "ngram", draftModel: null, costs, traces }];
 * const evidence = { precision: "int8", prompts, drafts, contexts: [64, 512] } as never;
 * const work = { model: "m", threads: 1, exact: false, temperature: 0, maxTokens: 3, batch: 1 };
 * const [half] = holdOutAdvice(work, [evidence]);
 * assertEquals([half!.verdict, half!.followed], ["yes", half!.best]);
 * ```
 */
export function holdOutAdvice(
  work: AdviceWork,
  evidence: readonly AdviceEvidence[],
  options: AdviceOptions = {},
): HeldOutAdvice[] {
  const enough = evidence.filter(({ prompts }) => prompts.length >= FEWEST);
  if (enough.length === 0) {
    throw new AdviceError(
      `Cannot hold prompts out as there are fewer than ${FEWEST}: record traces of more`,
    );
  }
  return [0, 1].map((half) => {
    const advice = advise(work, enough.map((known) => halfOf(known, half)), options);
    const { precision, verdict, context, use, reply } = advice;
    const whole = evidence.find((known) => known.precision === precision)!;
    const { prompts } = halfOf(whole, 1 - half);
    const place = placeOf(context, whole, work);
    const speedup = (draft: DraftEvidence, draftLength: number) =>
      draftLength > longestOf(draft)
        ? null
        : estimateReply(useDraft(draft, prompts, draftLength, work), place);
    const policy = () => policyAfter(context, advice);
    const had = speedup(use.draft, use.draftLength)!;
    const best = bestWithHindsight(whole.drafts, speedup);
    return {
      prompts: prompts.length,
      verdict,
      precision,
      draft: nameOf(use.draft),
      draftLength: use.draftLength,
      expected: reply,
      had,
      followed: verdict === "yes" ? had : 1,
      obeyed: verdict === "yes"
        ? estimateReply(useDraft(use.draft, prompts, use.draftLength, work, policy), place)!
        : 1,
      usual: speedup(use.draft, USUAL_LENGTH),
      best: best?.speedup ?? 1,
      bestUse: best && { draft: nameOf(best.draft), draftLength: best.draftLength },
    };
  });
}

/** Every other prompt of each task. */
function halfOf(known: AdviceEvidence, half: number): AdviceEvidence {
  const byTask = Map.groupBy(known.prompts, ({ task }) => task);
  const ordered: KnownPrompt[] = [...byTask.values()].flat();
  return { ...known, prompts: ordered.filter((_, i) => i % 2 === half) };
}

function bestWithHindsight(
  drafts: readonly DraftEvidence[],
  speedupOf: (draft: DraftEvidence, draftLength: number) => number | null,
) {
  const uses = drafts.flatMap((draft) =>
    Array.from({ length: longestOf(draft) }, (_, i) => {
      return { draft, draftLength: i + 1, speedup: speedupOf(draft, i + 1) ?? 0 };
    })
  ).filter(({ speedup }) => speedup > 1);
  return uses.sort((a, b) => b.speedup - a.speedup)[0] ?? null;
}

function nameOf({ draft, draftModel, draftHash, draftPrecision }: DraftName): DraftName {
  return { draft, draftModel, draftHash, draftPrecision };
}
