/**
 * c, v and h as a machine showed them.
 *
 * @module
 */

import type { RoundRecord } from "../study/records.ts";
import { expectedTokens, type RelativeCosts } from "./metrics.ts";

/** Costs of rounds, as shares of the plain target's pass over one token. */
export interface MeasuredCosts extends RelativeCosts {
  /** T_p(1): milliseconds of a plain pass. */
  readonly passMs: number;
  /** The plain loop's own host share, which plain decoding pays too. */
  readonly plainHost: number;
  /** K·c as spent: drafting per round. Below K·c where some rounds draft less. */
  readonly drafting: number;
}

/** As much of a round as costs are measured by. */
export type RoundTimes = Pick<
  RoundRecord,
  "drafted" | "draftMs" | "verifyMs" | "sampleMs" | "hostMs"
>;

/**
 * Mean costs of speculative rounds, in plain passes of the same pairs.
 *
 * @param plain Rounds of plain decoding.
 * @param speculative Rounds of speculative decoding.
 * @returns The costs, or null if either is empty.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const plain = [{ drafted: 0, draftMs: 0, verifyMs: 10, sampleMs: 1, hostMs: 0 }];
 * const speculative = [{ drafted: 4, draftMs: 8, verifyMs: 15, sampleMs: 2, hostMs: 1 }];
 * assertEquals(measureCosts(plain, speculative),
 *   { passMs: 10, plainHost: 0.1, c: 0.2, drafting: 0.8, v: 1.5, h: 0.3 });
 * ```
 */
export function measureCosts(
  plain: readonly RoundTimes[],
  speculative: readonly RoundTimes[],
): MeasuredCosts | null {
  if (plain.length === 0 || speculative.length === 0) return null;
  const passMs = mean(plain, (round) => round.verifyMs);
  const host = (round: RoundTimes) => round.sampleMs + round.hostMs;
  const drafted = mean(speculative, (round) => round.drafted);
  const draftMs = mean(speculative, (round) => round.draftMs);
  return {
    passMs,
    plainHost: mean(plain, host) / passMs,
    c: drafted === 0 ? 0 : draftMs / drafted / passMs,
    drafting: draftMs / passMs,
    v: mean(speculative, (round) => round.verifyMs) / passMs,
    h: mean(speculative, host) / passMs,
  };
}

/**
 * S that measured costs and independent acceptances lead one to expect: E[τ] averaged over the
 * lengths that were drafted, over what a round cost. With every round at K this is
 * E[τ](1 + h₀) / (K·c + v + h), where h₀ is the plain loop's host share.
 *
 * @param alpha α.
 * @param drafted Tokens drafted in each round.
 * @param costs The costs.
 * @returns The predicted speed-up.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const costs = { passMs: 10, plainHost: 0, c: 0, drafting: 0, v: 1.4, h: 0.1 };
 * assertEquals(predictSpeedup(0.5, [2, 2], costs), 1.75 / 1.5);
 * ```
 */
export function predictSpeedup(
  alpha: number,
  drafted: readonly number[],
  { drafting, v, h, plainHost }: Omit<MeasuredCosts, "passMs" | "c">,
): number {
  const tokens = mean(drafted, (length) => expectedTokens(alpha, length));
  return tokens * (1 + plainHost) / (drafting + v + h);
}

function mean<T>(values: readonly T[], valueOf: (value: T) => number): number {
  return values.reduce((sum, value) => sum + valueOf(value), 0) / values.length;
}
