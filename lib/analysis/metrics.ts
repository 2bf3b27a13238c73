/**
 * Rates from counts, and what theory makes of them.
 *
 * @module
 */

import { requireInteger, requireNumber } from "../validate.ts";

/** Counts of one or many rounds. */
export interface Counts {
  /** Target passes. */
  readonly rounds: number;
  /** Tokens proposed. */
  readonly drafted: number;
  /** Proposed tokens put to the test. */
  readonly tested: number;
  /** Proposed tokens that stood. */
  readonly accepted: number;
  /** Tokens of new text. */
  readonly emitted: number;
}

/** Costs as shares of a target pass over one token. */
export interface RelativeCosts {
  /** c: one draft pass. */
  readonly c: number;
  /** v: a target pass over K + 1 tokens. */
  readonly v: number;
  /** h: everything else in a round. */
  readonly h: number;
}

/**
 * α, acceptance per tested token: Σ accepted / Σ tested, the maximum-likelihood estimate when
 * acceptances are independent.
 *
 * @param counts The counts.
 * @returns α, or null if nothing was tested.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(acceptance({ accepted: 3, tested: 4 }), 0.75);
 * ```
 */
export function acceptance(
  { accepted, tested }: Pick<Counts, "accepted" | "tested">,
): number | null {
  return tested === 0 ? null : accepted / tested;
}

/**
 * Accepted per drafted token: what serving systems print. At the same α it falls with K.
 *
 * @param counts The counts.
 * @returns The share, or null if nothing was drafted.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(acceptedPerDrafted({ accepted: 3, drafted: 12 }), 0.25);
 * ```
 */
export function acceptedPerDrafted(
  { accepted, drafted }: Pick<Counts, "accepted" | "drafted">,
): number | null {
  return drafted === 0 ? null : accepted / drafted;
}

/**
 * τ, block efficiency: tokens emitted per target pass.
 *
 * @param counts The counts.
 * @returns τ, or null if there was no pass.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(blockEfficiency({ emitted: 48, rounds: 12 }), 4);
 * ```
 */
export function blockEfficiency(
  { emitted, rounds }: Pick<Counts, "emitted" | "rounds">,
): number | null {
  return rounds === 0 ? null : emitted / rounds;
}

/**
 * E[τ] of independent acceptances: (1 − α^(K+1)) / (1 − α) (Leviathan et al. 2023, eq. 1).
 *
 * @param alpha α, from 0 to 1.
 * @param draftLength K.
 * @returns Tokens per target pass.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([expectedTokens(0.5, 2), expectedTokens(1, 4)], [1.75, 5]);
 * ```
 */
export function expectedTokens(alpha: number, draftLength: number): number {
  requireNumber("expect tokens", "alpha", alpha, 0, 1);
  requireInteger("expect tokens", "draftLength", draftLength, 0);
  return expectedTokensByPosition(Array(draftLength).fill(alpha));
}

/**
 * E[τ] when acceptance depends on the position in the draft: 1 + Σ_k Π_{i ≤ k} α_i.
 *
 * @param alphas α_i: the chance that position i is accepted once it is tested.
 * @returns Tokens per target pass.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(expectedTokensByPosition([0.5, 1, 0]), 2);
 * ```
 */
export function expectedTokensByPosition(alphas: readonly number[]): number {
  let survival = 1;
  let tokens = 1;
  for (const alpha of alphas) tokens += survival *= alpha;
  return tokens;
}

/**
 * S of a round that costs K·c + v + h and emits `tokens`, against plain passes of cost 1.
 *
 * @param tokens τ or E[τ].
 * @param draftLength K.
 * @param costs c, v, h.
 * @returns The speed-up.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(speedupOf(3, 4, { c: 0.1, v: 1.5, h: 0.1 }), 1.5);
 * ```
 */
export function speedupOf(tokens: number, draftLength: number, { c, v, h }: RelativeCosts): number {
  return tokens / (draftLength * c + v + h);
}

/**
 * Leviathan's improvement factor, which takes verification as free: v = 1, h = 0 (theorem 3.8).
 *
 * @param alpha α.
 * @param draftLength K.
 * @param c Draft pass / target pass.
 * @returns The speed-up it promises. Some K helps if and only if α > c.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(leviathanSpeedup(0.7, 6, 0.05), 2.35, 0.01);
 * ```
 */
export function leviathanSpeedup(alpha: number, draftLength: number, c: number): number {
  return speedupOf(expectedTokens(alpha, draftLength), draftLength, { c, v: 1, h: 0 });
}

/**
 * Leviathan's growth of arithmetic operations: (1 − α)(Kĉ + K + 1) / (1 − α^(K+1)) (theorem 3.11).
 *
 * @param alpha α.
 * @param draftLength K.
 * @param c Operations of the draft / of the target, per token.
 * @returns Operations of speculative / of plain decoding.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(leviathanOperations(0.5, 1, 0.1), 1.4);
 * ```
 */
export function leviathanOperations(alpha: number, draftLength: number, c: number): number {
  return (draftLength * c + draftLength + 1) / expectedTokens(alpha, draftLength);
}
