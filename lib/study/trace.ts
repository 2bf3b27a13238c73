/**
 * Traces: what a draft made of a text, without time. One trace holds the rounds of every draft length.
 *
 * @module
 */

import type { Policy } from "../decoding/policies/policy.ts";
import type { Round } from "../decoding/round.ts";
import { settle } from "../decoding/settle.ts";
import { verifyGreedy } from "../decoding/verify.ts";
import type { TokenId } from "../models/token.ts";
import { type Random, stream } from "../random.ts";

/** What a draft of chosen tokens made of one position: of a greedy run, or of an n-gram table. */
export interface ChosenDraft {
  /** Tokens offered, of `longest` asked for. */
  readonly offered: number;
  /** How many of them, from the first, are the text's. */
  readonly right: number;
  /** The draft's probability of each, from the first, as far as it told. */
  readonly confidences: readonly number[];
}

/** What a draft of drawn tokens makes of one position, where the text x was drawn from p. */
export interface DrawnDraft {
  /** min(1, q(x)/p(x)): the chance that a draft which stood so far stands here too. */
  readonly chance: number;
  /**
   * Of a head, which reads states that it foretold itself: the chances that further tokens of a draft
   * that begins here stand, each if all before it stood. Absent where it is no matter where a draft
   * began: a token's chance is then its own position's.
   */
  readonly further?: readonly number[];
  /** Σ min(p, q): the chance that a token drawn from q stands, whatever the text is. */
  readonly overlap: number;
  /** q(y) of one y that was drawn from q. */
  readonly confidence: number;
  /** min(1, p(y)/q(y)): the chance that this y stands. */
  readonly acceptance: number;
}

/** Ways in which a draft's tokens come about. */
export const CHOICES = ["chosen", "drawn"] as const;

/** What all traces hold. */
export interface Traced {
  /** The text after the prompt; the token that ended it is the last. */
  readonly tokens: readonly TokenId[];
  /** Why it ended. */
  readonly stop: "end" | "length";
  /** Most tokens it could have had. */
  readonly maxTokens: number;
  /** Tokens asked of each draft: no longer draft can be replayed. */
  readonly longest: number;
}

/** A trace of drafts whose tokens are chosen: one entry a token of the text. */
export interface ChosenTrace extends Traced {
  /** "chosen". */
  readonly choice: "chosen";
  /** What was drafted at each position. */
  readonly drafts: readonly ChosenDraft[];
}

/** A trace of drafts whose tokens are drawn: one entry a token of the text. */
export interface DrawnTrace extends Traced {
  /** "drawn". */
  readonly choice: "drawn";
  /** What would be drafted at each position. */
  readonly drafts: readonly DrawnDraft[];
}

/** What a draft made of a text. */
export type Trace = ChosenTrace | DrawnTrace;

/** The counts of a round, and how many tokens were emitted before it. */
export interface TracedRound {
  /** Tokens of new text before it. */
  readonly position: number;
  /** Tokens proposed. */
  readonly drafted: number;
  /** Proposed tokens put to the test. */
  readonly tested: number;
  /** Proposed tokens that stood. */
  readonly accepted: number;
  /** Tokens of new text. */
  readonly emitted: number;
}

/** Raised when a trace does not hold what is asked of it. */
export class TraceError extends Error {
  /** "TraceError". */
  override readonly name = "TraceError";
}

/** Settings of a replay. */
export interface ReplayTraceOptions {
  /** How far to draft. Its `position` counts from the end of the prompt. */
  readonly policy: Policy;
  /** Seed of a drawn draft's luck; without use where tokens are chosen. */
  readonly seed: number | string;
}

/**
 * The rounds that a live run would have, without a network.
 *
 * Chosen tokens stand if they are the text's, so the counts are those of the live run, whatever the
 * policy; a threshold of confidence must be a number of hundredths. Drawn tokens: given the text,
 * speculative sampling accepts at each position independently with chance min(1, q(x)/p(x)). (A token
 * x is accepted with mass min(p, q)(x), and x follows a rejection with mass (p − q)⁺(x); both sum to
 * p(x).) So counts of replays are distributed as those of live runs are.
 *
 * @param trace The trace.
 * @param options Policy, seed.
 * @returns The rounds, in order.
 * @throws {TraceError} If the policy drafts further than the trace knows, or asks for confidences of
 *   drawn drafts, of which those past a rejection are not known.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fixed } from "@specbound/specbound";
 * const draft = (right: number) => ({ offered: 4, right, confidences: [] });
 * const trace = {
 *   choice: "chosen", tokens: [5, 6, 7, 8, 9, 4, 3], stop: "length", maxTokens: 7, longest: 4,
 *   drafts: [2, 1, 0, 3, 2, 1, 0].map(draft),
 * } as const;
 * const accepted = (draftLength: number) =>
 *   replayTrace(trace, { policy: fixed(draftLength), seed: 1 }).map(({ accepted }) => accepted);
 * assertEquals([accepted(1), accepted(4)], [[1, 0, 1, 1], [2, 3]]);
 * ```
 */
export function replayTrace(trace: Trace, options: ReplayTraceOptions): TracedRound[] {
  const { policy, seed } = options;
  const { tokens, stop, maxTokens, longest } = trace;
  const random = stream(seed, "trace");
  const end = new Set(stop === "end" ? tokens.slice(-1) : []);
  const rounds: TracedRound[] = [];
  let last: Round | null = null;
  for (let position = 0; last?.stop == null;) {
    const remaining = maxTokens - position;
    const limit = Math.min(policy.limit({ position, emitted: position, last }), remaining - 1);
    if (limit > longest) {
      throw new TraceError(
        `Cannot replay a draft of ${limit} tokens as the trace knows ${longest}: record it with a longer draft`,
      );
    }
    const drafted = limit > 0 ? draftAt(trace, position, { limit, policy, random }) : [];
    const verdict = verifyGreedy(
      { tokens: drafted },
      (node) => tokens[position + node + 1] ?? NONE,
    );
    const outcome = settle(drafted, verdict, remaining, end);
    const { tested, accepted } = outcome;
    const counts = { drafted: drafted.length, tested, accepted, emitted: outcome.emitted.length };
    rounds.push({ position, ...counts });
    last = { drafter: "trace", drafted, ...outcome, ...NO_TIMES };
    position += counts.emitted;
  }
  return rounds;
}

/** No token of a text, so that a draft of it falls. */
const WRONG: TokenId = -1;
/** No token of a draft. */
const NONE: TokenId = -2;
/** A policy that reads times learns that there are none. */
const NO_TIMES = { draftMs: NaN, verifyMs: NaN, sampleMs: NaN, hostMs: NaN };

/** Tokens that would be drafted at a position: the text's while right, wrong ones after. */
function draftAt(
  trace: Trace,
  position: number,
  { limit, policy, random }: {
    readonly limit: number;
    readonly policy: Policy;
    readonly random: Random;
  },
): TokenId[] {
  const { tokens } = trace;
  const draft = (length: number, right: number) =>
    Array.from({ length }, (_, i) => i < right ? tokens[position + i]! : WRONG);
  if (trace.choice === "chosen") {
    const { offered, right, confidences } = trace.drafts[position]!;
    const most = Math.min(offered, limit);
    const unsure = confidences.slice(0, most)
      .findIndex((confidence, i) => policy.proceed && !policy.proceed(confidence, i + 1));
    return draft(unsure < 0 ? most : unsure + 1, right);
  }
  if (policy.proceed) {
    throw new TraceError(
      `Cannot replay ${policy.name} as confidences of drawn tokens past a rejection are not in the trace: replay greedy traces`,
    );
  }
  const { chance, further } = trace.drafts[position]!;
  const ahead = further
    ? [chance, ...further].slice(0, limit)
    : trace.drafts.slice(position, position + limit).map(({ chance }) => chance);
  const fell = ahead.findIndex((chance) => random() >= chance);
  return draft(limit, fell < 0 ? ahead.length : fell);
}

/**
 * For each position of the text, the chance that the first token drafted there stands: 0 or 1 for
 * chosen tokens, Σ min(p, q) for drawn ones, of which it is the estimate with the least variance.
 *
 * @param trace The trace.
 * @returns The chances; null where nothing was offered.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const drafts = [2, 1, 0].map((right) => ({ offered: right ? 2 : 0, right, confidences: [] }));
 * const trace = { tokens: [7, 8, 9], stop: "length", maxTokens: 3, longest: 2, drafts } as const;
 * assertEquals(standingChances({ choice: "chosen", ...trace }), [1, 1, null]);
 * ```
 */
export function standingChances(trace: Trace): (number | null)[] {
  if (trace.choice === "drawn") return trace.drafts.map(({ overlap }) => overlap);
  return trace.drafts.map(({ offered, right }) => offered === 0 ? null : Math.min(1, right));
}
