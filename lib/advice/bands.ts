/**
 * Advice by context.
 *
 * @module
 */

import { advised, type AdvisedRange, type Fallback } from "../decoding/policies/advised.ts";
import type { Policy } from "../decoding/policies/policy.ts";
import { type Choice, type Chooser, contextOf, placeOf } from "./choose.ts";
import type { AdviceEvidence, AdviceWork, DraftEvidence } from "./gather.ts";
import { thresholdOf } from "./score.ts";
import { promptsNear } from "./use.ts";

/** What is advised over a range of contexts. */
export interface Band extends Choice, AdvisedRange {
  /** K; 0 unless the verdict is yes. */
  readonly draftLength: number;
  /** Where the range ends; the next one begins there. */
  readonly to: number;
  /** Whether it rests on prompts of about its length; else on all there are. */
  readonly near: boolean;
}

/** Where ranges of context begin. */
const EDGES = [0, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072];

/**
 * K by context: each range is judged at its middle, that of the prompt asked about at its length.
 *
 * @param draft The draft.
 * @param asked Tokens of the prompt asked about.
 * @param known Traces and costs in one precision.
 * @param work The work.
 * @param choose What chooses at one context.
 * @returns The ranges that have costs, ascending.
 */
export function bandsOf(
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
