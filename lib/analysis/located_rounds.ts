/**
 * Rounds at their place in the text.
 *
 * @module
 */

import { joinPairs, pairCounts } from "./pairs.ts";
import type { Records, RoundRecord, RunRecord } from "../study/records.ts";

/** A round, its run, and how much text stood before it. */
export interface LocatedRound {
  /** The round. */
  readonly round: RoundRecord;
  /** Its run. */
  readonly run: RunRecord;
  /** n: tokens before the round's own. */
  readonly context: number;
  /** Tokens of new text before the round's own. */
  readonly position: number;
}

/** One pass of a target, as a benchmark or a round timed it. */
export interface PassTime {
  /** The target's precision. */
  readonly precision: string;
  /** w: new tokens. */
  readonly width: number;
  /** n: tokens before them. */
  readonly context: number;
  /** Milliseconds. */
  readonly ms: number;
}

/**
 * Finds the place of each round of the pairs that count.
 *
 * @param records Rows of whole pairs.
 * @returns The rounds of both arms.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(locateRounds({ runs: [], rounds: [] }), []);
 * ```
 */
export function locateRounds(records: Records): LocatedRound[] {
  return joinPairs(records).filter(pairCounts).flatMap((pair) => [
    ...locate(pair.plain, pair.plainRounds),
    ...locate(pair.speculative, pair.speculativeRounds),
  ]);
}

/**
 * The target's passes that rounds timed: a round that drafted k tokens passed k + 1.
 *
 * @param records Rows of whole pairs.
 * @returns One entry a round.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(passesOf({ runs: [], rounds: [] }), []);
 * ```
 */
export function passesOf(records: Records): PassTime[] {
  return locateRounds(records).map(({ round, run, context }) => {
    return { precision: run.precision, width: round.drafted + 1, context, ms: round.verifyMs };
  });
}

/**
 * The octave that a context falls in, by the power of two in it: 64 for 40 to 79 tokens, 128 for 80 to
 * 159, … A request with nothing to read is some 40 to 50 tokens, and all such share one.
 *
 * @param context n, at least 1.
 * @returns The power of two.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals([40, 79, 80, 1024].map(octave), [64, 64, 128, 1024]);
 * ```
 */
export function octave(context: number): number {
  return 2 ** Math.floor(Math.log2(context / 0.625));
}

function locate(run: RunRecord, rounds: readonly RoundRecord[]): LocatedRound[] {
  let position = 0;
  return rounds.map((round) => {
    const located = { round, run, context: run.context + position, position };
    position += round.emitted;
    return located;
  });
}
