/**
 * Whether a draft is as sure of its tokens as it has reason to be.
 *
 * @module
 */

import type { Trace } from "../study/trace.ts";
import { requireInteger } from "../validate.ts";

/** A drafted token: how sure the draft was of it, and whether it stood. */
export interface Bet {
  /** The draft's probability of the token. */
  readonly confidence: number;
  /** 1 if it stood, 0 if not; between them the chance that it stands. */
  readonly stood: number;
}

/** Bets of like confidence. */
export interface CalibrationBin {
  /** Least confidence. */
  readonly from: number;
  /** Confidence that is not reached, but for 1 in the last bin. */
  readonly to: number;
  /** Bets. */
  readonly count: number;
  /** Their mean confidence. */
  readonly confidence: number;
  /** The share that stood. */
  readonly acceptance: number;
}

/** A draft's calibration. */
export interface Calibration {
  /** Bins that have bets, in order. */
  readonly bins: readonly CalibrationBin[];
  /** Expected calibration error: Σ count/n · |confidence − acceptance| (Naeini et al. 2015). */
  readonly error: number;
}

/**
 * The bets of a trace: the first token that is drafted at each position of the text, so that each
 * position counts once. N-gram tables that tell no confidence make none.
 *
 * @param trace The trace.
 * @returns The bets.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [1, 0].map((right) => ({ offered: 2, right, confidences: [0.9] }));
 * const trace = { tokens: [7, 8], stop: "length", maxTokens: 9, longest: 2, drafts } as const;
 * const bets = betsOf({ choice: "chosen", ...trace });
 * assertEquals(bets, [{ confidence: 0.9, stood: 1 }, { confidence: 0.9, stood: 0 }]);
 * ```
 */
export function betsOf(trace: Trace): Bet[] {
  if (trace.choice === "drawn") {
    return trace.drafts.map(({ confidence, acceptance }) => ({ confidence, stood: acceptance }));
  }
  return trace.drafts.flatMap(({ right, confidences: [confidence] }) =>
    confidence === undefined ? [] : [{ confidence, stood: Math.min(1, right) }]
  );
}

/**
 * Confidence against acceptance, in bins of equal width.
 *
 * @param bets The bets.
 * @param options Number of bins. Default 10.
 * @returns The bins and the expected calibration error; null if there are no bets.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const bets = [1, 1, 1, 0].map((stood) => ({ confidence: 0.8, stood }));
 * const calibration = calibrate(bets)!;
 * assertEquals(calibration.bins.map(({ from, acceptance }) => [from, acceptance]), [[0.8, 0.75]]);
 * assertAlmostEquals(calibration.error, 0.05);
 * ```
 */
export function calibrate(
  bets: readonly Bet[],
  options: { readonly bins?: number } = {},
): Calibration | null {
  const { bins: count = 10 } = options;
  requireInteger("calibrate", "bins", count, 1);
  if (bets.length === 0) return null;
  const binned = Map.groupBy(
    bets,
    ({ confidence }) => Math.min(count - 1, Math.floor(confidence * count)),
  );
  const bins = [...binned].sort(([a], [b]) => a - b).map(([bin, same]) => {
    const mean = (name: keyof Bet) => same.reduce((sum, bet) => sum + bet[name], 0) / same.length;
    return {
      from: bin / count,
      to: (bin + 1) / count,
      count: same.length,
      confidence: mean("confidence"),
      acceptance: mean("stood"),
    };
  });
  const error = bins.reduce(
    (sum, bin) => sum + bin.count / bets.length * Math.abs(bin.confidence - bin.acceptance),
    0,
  );
  return { bins, error };
}
