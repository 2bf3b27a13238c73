/**
 * What happened between two target passes. Facts only: rates are derived by `lib/analysis`.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import type { Sampling } from "./sampling.ts";

/** One round: a draft, one target pass, and what came of it. Plain decoding drafts nothing. */
export interface Round {
  /** What the drafter proposed. */
  readonly drafted: readonly TokenId[];
  /** Drafted tokens put to the test; what stands after a rejection never was. */
  readonly tested: number;
  /** Drafted tokens that stood. */
  readonly accepted: number;
  /** New text: accepted tokens and one more, unless cut. The end-of-text token is not text. */
  readonly emitted: readonly TokenId[];
  /** Why decoding ended with this round, or null if it goes on. */
  readonly stop: "end" | "length" | null;
  /** Milliseconds spent drafting. */
  readonly draftMs: number;
  /** Milliseconds in the target's pass. */
  readonly verifyMs: number;
  /** Milliseconds from logits to tokens: argmax or softmax, acceptance, residual. */
  readonly sampleMs: number;
  /** Milliseconds of everything else in the round. */
  readonly hostMs: number;
}

/** Options that plain and speculative decoding share. */
export interface DecodeOptions {
  /** Tokens to emit at most. */
  readonly maxTokens: number;
  /** How tokens are chosen, by target and draft alike. Default greedy. */
  readonly sampling?: Sampling;
  /** Seed of the run's random streams. Without use when greedy. */
  readonly seed: number | string;
  /** Tokens that end the text. */
  readonly endOfText?: ReadonlySet<TokenId>;
  /** Stops decoding between rounds: the generator throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Monotonic clock in milliseconds. Default `performance.now`. */
  readonly clock?: () => number;
}

/** The counts of a round after verification, and its text, cut where plain decoding would stop. */
export type Outcome = Pick<Round, "tested" | "accepted" | "emitted" | "stop">;

/**
 * Cuts a verified continuation where plain decoding would have stopped. Tokens after the end of
 * text are not counted: plain decoding would never have reached them.
 *
 * @param continuation Accepted tokens and the one after them.
 * @param tested Drafted tokens put to the test.
 * @param remaining Tokens that may still be emitted; at least 1.
 * @param endOfText Tokens that end the text.
 * @returns What the round yields.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(settle([8, 2, 9], 3, 10, new Set([2])),
 *   { tested: 2, accepted: 2, emitted: [8], stop: "end" });
 * ```
 */
export function settle(
  continuation: readonly TokenId[],
  tested: number,
  remaining: number,
  endOfText: ReadonlySet<TokenId> = new Set(),
): Outcome {
  const accepted = continuation.length - 1;
  const end = continuation.findIndex((token) => endOfText.has(token));
  if (end >= 0 && end < remaining) {
    const reached = end + 1;
    return {
      tested: Math.min(tested, end < accepted ? reached : tested),
      accepted: Math.min(accepted, reached),
      emitted: continuation.slice(0, end),
      stop: "end",
    };
  }
  const emitted = continuation.slice(0, remaining);
  return {
    tested,
    accepted: Math.min(accepted, emitted.length),
    emitted,
    stop: emitted.length === remaining ? "length" : null,
  };
}
