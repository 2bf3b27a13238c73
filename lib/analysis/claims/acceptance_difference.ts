/**
 * Acceptance here against acceptance there.
 *
 * @module
 */

import { studentQuantile } from "../../study/interval.ts";
import { standingChances } from "../../study/trace.ts";
import { type TraceRecord, unpackTrace } from "../../study/trace_records.ts";
import { acceptance } from "../metrics.ts";
import type { PromptCounts } from "../pooled_acceptance.ts";
import type { Interval } from "../statistics.ts";

/** α here − α there. */
export interface AcceptanceDifference extends Interval {
  /** α here. */
  readonly here: number;
  /** α there. */
  readonly there: number;
  /** Prompts on either side. */
  readonly prompts: number;
}

/**
 * The difference of two pooled acceptances, with Student's 95 % interval over prompts. The error is the
 * jackknife's, which leaves one prompt at a time out of both sides, so that what a prompt does to both
 * cancels. Degrees of freedom are those of the side with fewer prompts.
 *
 * @param here Counts on one side.
 * @param there Counts on the other.
 * @returns The difference, without an interval if a side has fewer than three prompts; null if nothing
 * was tested on one.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const counts = (accepted: number) =>
 *   ["a", "b", "c"].map((prompt) => ({ prompt, tested: 4, accepted }));
 * const { estimate, low } = compareAcceptance(counts(3), counts(1))!;
 * assertAlmostEquals(estimate, 0.5);
 * assertEquals(low, 0.5);
 * ```
 */
export function compareAcceptance(
  here: readonly PromptCounts[],
  there: readonly PromptCounts[],
): AcceptanceDifference | null {
  const [one, other] = [here, there].map(byPrompt) as [Counts, Counts];
  const difference = (without?: string) => {
    const [a, b] = [pooled(one, without), pooled(other, without)];
    return a === null || b === null ? null : a - b;
  };
  const estimate = difference();
  if (estimate === null) return null;
  const names = [...new Set([...one.keys(), ...other.keys()])];
  const shown = { here: pooled(one)!, there: pooled(other)!, prompts: names.length, estimate };
  const fewest = Math.min(one.size, other.size);
  const left = names.flatMap((name) => difference(name) ?? []);
  if (fewest < 3 || left.length < names.length) return { ...shown, low: null, high: null };
  const centre = left.reduce((sum, value) => sum + value, 0) / left.length;
  const squares = left.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const error = Math.sqrt((left.length - 1) / left.length * squares);
  const half = studentQuantile(fewest - 1) * error;
  return { ...shown, low: estimate - half, high: estimate + half };
}

/**
 * The first token drafted at each position of a text, as counts: tested wherever one was offered.
 * Whether it stands depends on no draft length.
 *
 * @param record The trace.
 * @param includes Which positions count. Default all.
 * @returns Its counts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const trace = { prompt: "p", promptTokens: 9, stop: "length", maxTokens: 3, longest: 2,
 *   tokens: "7 8 9", choice: "chosen", drafts: "2/2 0/2 0/0" };
 * assertEquals(firstDrafted(trace as never), { prompt: "p 9", tested: 2, accepted: 1 });
 * ```
 */
export function firstDrafted(
  record: TraceRecord,
  includes: (position: number) => boolean = () => true,
): PromptCounts {
  const chances = standingChances(unpackTrace(record))
    .filter((chance, position) => chance !== null && includes(position)) as number[];
  return {
    prompt: `${record.prompt} ${record.promptTokens}`,
    tested: chances.length,
    accepted: chances.reduce((sum, chance) => sum + chance, 0),
  };
}

type Counts = ReadonlyMap<string, Omit<PromptCounts, "prompt">>;

/** Prompts that had anything tested. */
function byPrompt(counts: readonly PromptCounts[]): Counts {
  const groups = Map.groupBy(counts.filter(({ tested }) => tested > 0), ({ prompt }) => prompt);
  return new Map([...groups].map(([prompt, same]) => [prompt, total(same)]));
}

function pooled(counts: Counts, without?: string): number | null {
  return acceptance(total([...counts].flatMap(([name, one]) => name === without ? [] : [one])));
}

function total(counts: readonly Omit<PromptCounts, "prompt">[]) {
  return {
    tested: counts.reduce((sum, { tested }) => sum + tested, 0),
    accepted: counts.reduce((sum, { accepted }) => sum + accepted, 0),
  };
}
