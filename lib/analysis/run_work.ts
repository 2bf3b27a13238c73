/**
 * Bytes and operations moved per token of a run: what its passes cost whatever the machine.
 *
 * @module
 */

import type { RoundRecord } from "../study/records.ts";
import type { StoredNetwork } from "./roofline.ts";
import { passWork, totalWork, type WorkCount } from "./work.ts";

/** The counts of a round that its work depends on. */
export type RoundCounts = Pick<RoundRecord, "drafted" | "emitted">;

/** Tokens that a pass reads, and those before them. */
interface Span {
  readonly width: number;
  readonly context: number;
}

/**
 * The least work per emitted token, from the rounds' widths and contexts. What a pass is padded with
 * in exact mode is left out.
 *
 * @param rounds The run's rounds in order; drafts are chains.
 * @param context Tokens in the context at the start of decoding.
 * @param target The target's sizes, and how its numbers are stored.
 * @param draft The draft model's; none where n-grams or a recorded trace draft.
 * @returns Bytes and operations a token; null if nothing was emitted.
 *
 * @example Two tokens a round halve the bytes, not the operations
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * const sizes = {
 *   layers: 2, hidden: 64, heads: 2, keyValueHeads: 1, headSize: 32, feedForward: 128,
 *   vocabularySize: 500,
 * };
 * const target = { sizes, formats: { weights: "int8", cache: "fp32" } } as const;
 * const plain = workPerToken([{ drafted: 0, emitted: 1 }, { drafted: 0, emitted: 1 }], 0, target)!;
 * const speculative = workPerToken([{ drafted: 1, emitted: 2 }], 0, target)!;
 * assertAlmostEquals(speculative.bytes / plain.bytes, 1 / 2, 0.01);
 * assertAlmostEquals(speculative.operations / plain.operations, 1, 0.01);
 * ```
 */
export function workPerToken(
  rounds: readonly RoundCounts[],
  context: number,
  target: StoredNetwork,
  draft?: StoredNetwork,
): WorkCount | null {
  const emitted = rounds.reduce((sum, round) => sum + round.emitted, 0);
  if (emitted === 0) return null;
  const passes = [
    ...targetSpans(rounds, context).map((span) => workOf(span, target)),
    ...(draft ? draftSpans(rounds, context).map((span) => workOf(span, draft)) : []),
  ];
  const sum = (part: keyof WorkCount) => passes.reduce((total, work) => total + work[part], 0);
  return { bytes: sum("bytes") / emitted, operations: sum("operations") / emitted };
}

/** A pass a round: the newest token and the draft. */
function targetSpans(rounds: readonly RoundCounts[], start: number): Span[] {
  let context = start;
  return rounds.map(({ drafted, emitted }) => {
    const span = { width: drafted + 1, context };
    context += emitted;
    return span;
  });
}

/** A pass a drafted token. The first reads what the draft model lacks of the text: 1 or 2 tokens. */
function draftSpans(rounds: readonly RoundCounts[], start: number): Span[] {
  let length = start + 1; // of the text: its newest token is not in the context
  let read = start;
  return rounds.flatMap(({ drafted, emitted }) => {
    const spans = Array.from({ length: drafted }, (_, i) => (
      i === 0 ? { width: length - read, context: read } : { width: 1, context: length + i - 1 }
    ));
    if (drafted > 0) read = length + drafted - 1;
    length += emitted;
    read = Math.min(read, length - 1); // what was rejected is forgotten
    return spans;
  });
}

function workOf(span: Span, { sizes, formats }: StoredNetwork): WorkCount {
  return totalWork(passWork(sizes, { ...span, batch: 1 }, formats));
}
