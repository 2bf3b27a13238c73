/**
 * α of many runs, with a standard error that knows tokens of one prompt are alike.
 *
 * @module
 */

import { acceptance } from "./metrics.ts";

/** Counts of one run or a part of it, and its prompt. */
export interface PromptCounts {
  /** Prompt id. */
  readonly prompt: string;
  /** Proposed tokens put to the test. */
  readonly tested: number;
  /** Proposed tokens that stood. */
  readonly accepted: number;
}

/** α of several prompts. */
export interface PooledAcceptance {
  /** Σ accepted / Σ tested. */
  readonly alpha: number;
  /** Its standard error, or null if fewer than three prompts were tested. */
  readonly error: number | null;
  /** Tokens tested. */
  readonly tested: number;
}

/**
 * Pools counts: α = Σ accepted / Σ tested. The standard error is the jackknife's, which leaves out one
 * prompt at a time (Efron and Stein 1981): √((m − 1)/m · Σ (α₋ᵢ − ᾱ)²) for m prompts.
 *
 * @param counts The counts.
 * @returns α, or null if nothing was tested.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const counts = ["a", "b", "c"].map((prompt) => ({ prompt, tested: 4, accepted: 3 }));
 * assertEquals(poolAcceptance(counts), { alpha: 0.75, error: 0, tested: 12 });
 * ```
 */
export function poolAcceptance(counts: readonly PromptCounts[]): PooledAcceptance | null {
  const all = total(counts);
  const alpha = acceptance(all);
  if (alpha === null) return null;
  const tested = counts.filter((count) => count.tested > 0);
  const prompts = [...new Set(tested.map(({ prompt }) => prompt))];
  const without = prompts.flatMap((left) => {
    const rest = acceptance(total(tested.filter(({ prompt }) => prompt !== left)));
    return rest === null ? [] : [rest];
  });
  const m = without.length;
  const centre = without.reduce((sum, value) => sum + value, 0) / m;
  const squares = without.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return {
    alpha,
    error: prompts.length < 3 ? null : Math.sqrt((m - 1) / m * squares),
    tested: all.tested,
  };
}

function total(counts: readonly PromptCounts[]) {
  return {
    tested: counts.reduce((sum, { tested }) => sum + tested, 0),
    accepted: counts.reduce((sum, { accepted }) => sum + accepted, 0),
  };
}
