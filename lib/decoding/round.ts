/**
 * What happened between two target passes. Facts only: rates are derived by `lib/analysis`.
 *
 * @module
 */

import type { TokenId } from "../models/token.ts";
import type { Sampling } from "./sampling.ts";

/** One round: a draft, one target pass, and what came of it. Plain decoding drafts nothing. */
export interface Round {
  /** Name of the drafter that proposed, or null if nothing was drafted. */
  readonly drafter: string | null;
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
